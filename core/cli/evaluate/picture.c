/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture of one run as SVG: traffic and what of it was dropped, the detectors' scores beside
 * their limit of 1, and what was in force.  See windows.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "windows.h"

#define WIDTH 960
#define LEFT 70
#define RIGHT 150
#define PLOT (WIDTH - LEFT - RIGHT)
#define PANEL_HEIGHT 170
#define PANEL_GAP 40
#define TOP 50
#define SCORE_SHOWN 4.0 /* Higher ones are drawn at the panel's edge. */

struct picture {
	FILE *out;
	const struct windows *windows;
	const struct trial_report *report;
	unsigned int run;
	size_t n;
	double end_s;
};

/* One curve: its value in a window. */
typedef double (*curve_fn)(const struct picture *picture, size_t i, size_t which);

static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7",
				       "#e69f00", "#56b4e9", "#999999", "#000000" };
#define N_COLOURS (sizeof(colours) / sizeof(colours[0]))

static const struct trial_window *window_of(const struct picture *picture, size_t i)
{
	return windows_get(picture->windows, picture->run, i);
}

static double per_second(const struct trial_window *window, uint64_t packets)
{
	double length_s = (double)(window->end_ns - window->start_ns) / 1e9;

	return length_s > 0 ? (double)packets / length_s : 0;
}

static double traffic(const struct picture *picture, size_t i, size_t which)
{
	const struct trial_window *window = window_of(picture, i);

	switch (which) {
	case 0:
		return per_second(window, window->attack.packets + window->ignored.packets +
						  window->benign.packets);
	case 1:
		return per_second(window, window->attack.packets);
	case 2:
		return per_second(window, window->attack.dropped + window->ignored.dropped +
						  window->benign.dropped);
	default:
		return per_second(window, window->benign.dropped);
	}
}

static double score(const struct picture *picture, size_t i, size_t which)
{
	double value = windows_detector(picture->windows, picture->run, i, which)->score;

	/* Scores are a plugin's: they may be anything. */
	if (!(value > 0))
		return 0;
	return value < SCORE_SHOWN ? value : SCORE_SHOWN;
}

static double in_force(const struct picture *picture, size_t i, size_t which)
{
	const struct trial_window *window = window_of(picture, i);

	return (double)(which ? window->rules : window->blocked);
}

static double highest(const struct picture *picture, curve_fn curve, size_t n_curves)
{
	double most = 1;

	for (size_t i = 0; i < picture->n; i++)
		for (size_t j = 0; j < n_curves; j++)
			if (curve(picture, i, j) > most)
				most = curve(picture, i, j);
	return most;
}

static double x_of(const struct picture *picture, double time_s)
{
	return LEFT + PLOT * (picture->end_s > 0 ? time_s / picture->end_s : 0);
}

static double y_of(double top, double value, double most)
{
	return top + PANEL_HEIGHT - PANEL_HEIGHT * value / most;
}

/* Names come from a plugin's file: only what is safe in XML goes out. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '&' || *text == '>')
			fputc('.', out);
		else if ((unsigned char)*text >= 0x20)
			fputc(*text, out);
	}
}

static void label(const struct picture *picture, double x, double y, const char *anchor,
		  const char *colour, const char *text)
{
	fprintf(picture->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", x, y,
		anchor, colour);
	put_text(picture->out, text);
	fputs("</text>\n", picture->out);
}

/* Steps, since a window is one value from its beginning to its end. */
static void draw_curve(const struct picture *picture, double top, double most, curve_fn curve,
		       size_t which)
{
	fprintf(picture->out,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"",
		colours[which % N_COLOURS]);
	for (size_t i = 0; i < picture->n; i++) {
		const struct trial_window *window = window_of(picture, i);
		double y = y_of(top, curve(picture, i, which), most);

		fprintf(picture->out, "%.1f,%.1f %.1f,%.1f ",
			x_of(picture, (double)window->start_ns / 1e9), y,
			x_of(picture, (double)window->end_ns / 1e9), y);
	}
	fputs("\"/>\n", picture->out);
}

static void draw_frame(const struct picture *picture, double top, double most, const char *title)
{
	const struct trial_report *report = picture->report;
	double from = x_of(picture, (double)report->attack_start_ns / 1e9);
	double to = x_of(picture, (double)report->attack_end_ns / 1e9);
	char text[32];

	if (to > from)
		fprintf(picture->out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
			"fill=\"#fde8e0\"/>\n",
			from, top, to - from, PANEL_HEIGHT);
	fprintf(picture->out,
		"<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\" fill=\"none\" "
		"stroke=\"#888\"/>\n",
		LEFT, top, PLOT, PANEL_HEIGHT);
	label(picture, LEFT, top - 6, "start", "#000", title);
	snprintf(text, sizeof(text), "%.4g", most);
	label(picture, LEFT - 6, top + 10, "end", "#000", text);
	label(picture, LEFT - 6, top + PANEL_HEIGHT, "end", "#000", "0");
}

static void draw_panel(const struct picture *picture, unsigned int place, const char *title,
		       curve_fn curve, const char *const *names, size_t n_curves)
{
	double top = TOP + place * (double)(PANEL_HEIGHT + PANEL_GAP);
	double most = highest(picture, curve, n_curves);

	draw_frame(picture, top, most, title);
	for (size_t j = 0; j < n_curves; j++) {
		draw_curve(picture, top, most, curve, j);
		label(picture, WIDTH - RIGHT + 8, top + 14 + 16 * (double)j, "start",
		      colours[j % N_COLOURS], names[j]);
	}
	if (curve != score)
		return;
	fprintf(picture->out,
		"<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#888\" "
		"stroke-dasharray=\"4 3\"/>\n",
		LEFT, y_of(top, 1, most), LEFT + PLOT, y_of(top, 1, most));
}

/* A line where each detector said "attack". */
static void draw_verdicts(const struct picture *picture, unsigned int place)
{
	double top = TOP + place * (double)(PANEL_HEIGHT + PANEL_GAP);

	for (size_t j = 0; j < picture->report->n_detectors; j++) {
		double y = top + PANEL_HEIGHT + 4 + 4 * (double)j;

		for (size_t i = 0; i < picture->n; i++) {
			const struct trial_window *window = window_of(picture, i);

			if (!windows_detector(picture->windows, picture->run, i, j)->attack)
				continue;
			fprintf(picture->out,
				"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
				"stroke=\"%s\" stroke-width=\"3\"/>\n",
				x_of(picture, (double)window->start_ns / 1e9), y,
				x_of(picture, (double)window->end_ns / 1e9), y,
				colours[j % N_COLOURS]);
		}
	}
}

static void draw(const struct picture *picture)
{
	static const char *const traffic_names[] = { "all packets/s", "attack", "dropped",
						     "benign dropped" };
	static const char *const force_names[] = { "blocked sources", "rules" };
	const char *names[SCORE_MAX_DETECTORS];
	int height = TOP + 3 * (PANEL_HEIGHT + PANEL_GAP) + 20;
	char text[40];

	for (size_t i = 0; i < picture->report->n_detectors; i++)
		names[i] = picture->report->detectors[i];
	fprintf(picture->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, height);
	draw_panel(picture, 0, "Traffic toward the protected host (attack: shaded)", traffic,
		   traffic_names, 4);
	draw_panel(picture, 1, "Detectors: score, limit 1 (dashed), attack verdicts (below)", score,
		   names, picture->report->n_detectors);
	draw_verdicts(picture, 1);
	draw_panel(picture, 2, "In force", in_force, force_names, 2);
	label(picture, LEFT, height - 10, "start", "#000", "0 s");
	snprintf(text, sizeof(text), "%.1f s", picture->end_s);
	label(picture, LEFT + PLOT, height - 10, "end", "#000", text);
	fputs("</svg>\n", picture->out);
}

int windows_write_svg(const struct windows *windows, unsigned int run,
		      const struct trial_report *report, const char *path, struct sluice_err *err)
{
	struct picture picture = {
		.out = fopen(path, "we"),
		.windows = windows,
		.report = report,
		.run = run,
		.n = windows_count(windows, run),
	};
	int code;

	if (!picture.out) {
		code = -errno;
		err_set(err, "svg", "cannot write '%s': %s (%s)", path, strerror(-code),
			err_name(code));
		return code;
	}
	if (picture.n)
		picture.end_s = (double)window_of(&picture, picture.n - 1)->end_ns / 1e9;
	draw(&picture);
	code = ferror(picture.out) ? -EIO : 0;
	if (fclose(picture.out) != 0 || code) {
		err_set(err, "svg", "cannot write all of '%s'", path);
		return -EIO;
	}
	return 0;
}
