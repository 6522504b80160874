/**
 * One seed for everything that a test draws at random, so that a commit passes or fails alike for everyone.
 * `npm run fuzz` sets MLP_PROPERTY_SEED to draw other cases.
 */
import fc from 'fast-check';

/** From 0 to 2^31 − 1. */
export const PROPERTY_SEED = Number(process.env.MLP_PROPERTY_SEED ?? 1);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: PROPERTY_SEED });
