/** Standardisation under its former address: see scaling.ts. */
export { fitStandardization, type Standardization, standardize } from './scaling.js';
