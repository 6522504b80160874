/** A thread that reads a CSV. */
require('./load.js').load('data/numeric/thread.cjs');
