import { asyncHooks, diagnosticsChannel, hold, installFrames, iterate } from '../node/async-hooks/index.ts';

const frames = { hold, iterate };
let isInstalled = false;

/** Those who only publish to channels have no frames to keep. */
function withFrames<T>(module: T): T {
  if (!isInstalled) installFrames();
  isInstalled = true;
  return module;
}

export { asyncHooks };
export const modules = {
  async_hooks: () => withFrames(asyncHooks),
  diagnostics_channel: () => diagnosticsChannel,
  'isola:frames': () => withFrames(frames),
};
