/** What a cell of serve-layers.ts may be confined by. */
export const VARIANTS = [
  'nothing',
  'uid and limits',
  'permissions',
  'room',
  'both filters',
  'empty filters',
  'everything',
] as const;
export type Variant = (typeof VARIANTS)[number];

/** Variants by number of the cell, as JSON. */
export const LAYERS_VARIABLE = 'ISOLA_BENCH_LAYERS';
