/**
 * Files of the tests were written an instant ago, by nobody who writes them again: waiting out the tick of the clock, 15 ms for each,
 * would take more than any training. test/training/run/certificate.test.ts, which writes again, has the wait.
 */
import { settleFiles } from './settling.js';

settleFiles(false);
