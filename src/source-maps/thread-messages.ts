/** What source-mapper.ts and its thread say to each other. One job at a time. */
import type { MapFile } from './map-files.ts';

export interface MapJob {
  readonly type: 'job';
  /** What the maps are remembered by, together with a module's name: a version. */
  readonly key: string;
  readonly texts: readonly string[];
}

/** The answer to `missing`, in its order. */
export interface MapsFound {
  readonly type: 'maps';
  readonly files: readonly (MapFile | undefined)[];
}

export type ToThread = MapJob | MapsFound;

export type FromThread =
  | { readonly type: 'missing'; readonly modules: readonly string[] }
  | { readonly type: 'done'; readonly texts: readonly string[] };
