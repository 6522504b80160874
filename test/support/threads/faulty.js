/** A thread of a team that fails as fault.js has it. */
import './fault.js';
import '../../../dist/training/engine/worker.js';
