/**
 * Pyramidal information funneling, as numbers: where the attention of a prompt's last tokens falls, layer by layer, and what of it a
 * compressed cache kept. Pictures of it are in ../pictures.
 */
export type { Edges } from "./bins.ts";
export { type Boundary, type Funnel, type FunnelLayer, type FunnelOptions, funnel } from "./funnel.ts";
export { retained } from "./retained.ts";
