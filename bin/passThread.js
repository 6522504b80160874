/** A thread that passes rows through a network. */
require('./load.js').load('model/pool/thread.cjs');
