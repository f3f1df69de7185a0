/** `cloudflare:workers`: the environment without a handler's arguments, and the classes that Workers extend. */
import {
  type BuiltinExports,
  currentEnv,
  type ExecutionContext,
  objectCreate,
  requireInvocation,
  waitUntil,
} from '../shared.ts';

/** What all classes of this kind are: made by the runtime with a context and the environment. */
class Entrypoint {
  protected readonly ctx: unknown;
  protected readonly env: unknown;

  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}

class WorkerEntrypoint extends Entrypoint {
  declare protected readonly ctx: ExecutionContext;
}

class DurableObject extends Entrypoint {}

class WorkflowEntrypoint extends Entrypoint {}

class RpcTarget {}

class RpcStub {
  constructor() {
    throw new TypeError('RpcStub is not available yet: calls of methods between Workers are not supported');
  }
}

export function createExports(): BuiltinExports {
  const exports = objectCreate(null) as Record<string, unknown>;
  exports['env'] = currentEnv();
  exports['waitUntil'] = (promise: unknown): void => {
    waitUntil(requireInvocation(), promise);
  };
  exports['WorkerEntrypoint'] = WorkerEntrypoint;
  exports['DurableObject'] = DurableObject;
  exports['WorkflowEntrypoint'] = WorkflowEntrypoint;
  exports['RpcTarget'] = RpcTarget;
  exports['RpcStub'] = RpcStub;
  return exports;
}
