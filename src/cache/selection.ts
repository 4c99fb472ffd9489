/** Kept positions, ascending, always-kept ones included: [layer][kvHead]. */
export type Selection = readonly (readonly Int32Array[])[];
