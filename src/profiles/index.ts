/**
 * CPU profiles: what a cell sends is checked and put into the terms of the sources; who called whom, as a picture.
 * Called by supervisor/ (check, map) and cli/ (picture); the dashboard takes frames.ts by itself.
 * Promise: a profile is a tenant's and a cell's input: bounded, and its names are text.
 * Start at cpu-profile.ts.
 */
export { type CpuProfile, CpuProfileSchema, fillIdle, MAX_PROFILE_BYTES, parseCpuProfile } from './cpu-profile.ts';
export { drawFlameGraph } from './flame-graph.ts';
export { type Frame, toFrames, toHottest } from './frames.ts';
export { mapCallFrames } from './map-call-frames.ts';
