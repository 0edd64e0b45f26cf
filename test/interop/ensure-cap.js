'use strict';
/* The tests of the link over `cap` need a build of it, which `npm ci` leaves out on a machine without libpcap's headers. */
const { ensureCap } = require('../../esbuild.js');

try {
  ensureCap();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
