/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling in struct sluice_err, and names of errno values with their sign.
 */
#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Sorted as in asm-generic/errno*.h; those that name one number twice are left out. */
/* clang-format off */
#define ERRNO_NAMES(X)                                                                          \
	X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF)       \
	X(ECHILD) X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK) X(EBUSY) X(EEXIST)         \
	X(EXDEV) X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY)         \
	X(ETXTBSY) X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE) X(EDOM) X(ERANGE)   \
	X(EDEADLK) X(ENAMETOOLONG) X(ENOLCK) X(ENOSYS) X(ENOTEMPTY) X(ELOOP) X(ENOMSG) X(EIDRM) \
	X(ENODATA) X(ETIME) X(ENONET) X(ENOLINK) X(ECOMM) X(EPROTO) X(EBADMSG) X(EOVERFLOW)     \
	X(ENOTUNIQ) X(EBADFD) X(EREMCHG) X(EILSEQ) X(ERESTART) X(EUSERS) X(ENOTSOCK)            \
	X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT)             \
	X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) X(EPFNOSUPPORT) X(EAFNOSUPPORT) X(EADDRINUSE)          \
	X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET) X(ECONNABORTED) X(ECONNRESET)  \
	X(ENOBUFS) X(EISCONN) X(ENOTCONN) X(ESHUTDOWN) X(ETOOMANYREFS) X(ETIMEDOUT)             \
	X(ECONNREFUSED) X(EHOSTDOWN) X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) X(ESTALE)       \
	X(EREMOTEIO) X(EDQUOT) X(ECANCELED) X(ENOKEY) X(EKEYEXPIRED) X(EKEYREVOKED)             \
	X(EKEYREJECTED) X(EOWNERDEAD) X(ENOTRECOVERABLE)
/* clang-format on */

/* The kernel's own, which can reach user space from bpf(2) and netlink but has no user header. */
#define KERNEL_ENOTSUPP 524

const char *err_name(int code)
{
	/* INT_MIN has no positive counterpart; it is no errno either. */
	switch (code < 0 ? -(unsigned int)code : (unsigned int)code) {
	case 0:
		return "0";
#define X(name)    \
	case name: \
		return "-" #name;
		ERRNO_NAMES(X)
#undef X
	case KERNEL_ENOTSUPP:
		return "-ENOTSUPP";
	default:
		return "-E?";
	}
}

void err_init(struct sluice_err *err)
{
	if (!err)
		return;
	err->path[0] = '\0';
	err->text[0] = '\0';
}

/* Formats into a buffer of `size` bytes; what was cut off shows as "...". */
static void format_cut(char *buffer, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buffer, size, fmt, args);

	if (len >= 0 && (size_t)len >= size)
		memcpy(buffer + size - 4, "...", 4);
}

void err_set_v(struct sluice_err *err, const char *path, const char *fmt, va_list args)
{
	struct sluice_err made;

	if (!err)
		return;
	/* Made aside first: the arguments may point into `err`. */
	snprintf(made.path, sizeof(made.path), "%s", path ? path : "");
	format_cut(made.text, sizeof(made.text), fmt, args);
	*err = made;
}

void err_set(struct sluice_err *err, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_set_v(err, path, fmt, args);
	va_end(args);
}

void err_prefix(struct sluice_err *err, const char *fmt, ...)
{
	char clause[sizeof(err->text)];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	format_cut(clause, sizeof(clause), fmt, args);
	va_end(args);
	if (err->text[0])
		err_set(err, err->path, "%s: %s", clause, err->text);
	else
		err_set(err, err->path, "%s", clause);
}
