import { asyncHooks, diagnosticsChannel, hold, installFrames, iterate } from '../node/async-hooks/index.ts';

installFrames();

export { asyncHooks };
export const modules = {
  async_hooks: () => asyncHooks,
  diagnostics_channel: () => diagnosticsChannel,
  'isola:frames': () => ({ hold, iterate }),
};
