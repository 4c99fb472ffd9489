/** Numbers between bounds of about 1 that differ by less are equal. */
export const ROUNDING = 1e-12;
