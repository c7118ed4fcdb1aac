-- SPDX-License-Identifier: BSD-2-Clause
-- wrk's side of the demo: each thread has one connection, to a server address of its own.  The route
-- to that address names the client address to call from.
local threads = 0

function setup(thread)
   threads = threads + 1
   thread.addr = wrk.lookup("10.0.1." .. threads, "80")[1]
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "connect_errors": %d, "read_errors": %d, "timeouts": %d, "status_errors": %d}\n',
      summary.requests, errors.connect, errors.read, errors.timeout, errors.status))
end
