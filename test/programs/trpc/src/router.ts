import { initTRPC, tracked, TRPCError } from '@trpc/server';
import { z } from 'zod';

export interface Context {
  readonly user: string | null;
}

const t = initTRPC.context<Context>().create();

const signedIn = t.procedure.use(({ ctx, next }) => {
  if (ctx.user === null) throw new TRPCError({ code: 'UNAUTHORIZED' });
  return next({ ctx: { user: ctx.user } });
});

const posts = t.router({
  byId: t.procedure.input(z.number().int()).query(({ input }) => {
    if (input > 100) throw new TRPCError({ code: 'NOT_FOUND', message: `No post ${input}` });
    return { id: input, title: `Post ${input}` };
  }),
  create: signedIn
    .input(z.object({ title: z.string().min(3) }))
    .mutation(({ input, ctx }) => ({ title: input.title, author: ctx.user })),
});

export const appRouter = t.router({
  posts,
  hello: t.procedure.input(z.string().optional()).query(({ input }) => `Hello ${input ?? 'world'}`),
  upload: t.procedure.input(z.instanceof(FormData)).mutation(({ input }) => [...input.keys()]),
  numbers: t.procedure.query(async function* () {
    for (let n = 1; n <= 3; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield n;
    }
  }),
  ticks: t.procedure.subscription(async function* () {
    for (let n = 1; n <= 3; n++) {
      yield tracked(String(n), { tick: n });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }),
});

export type AppRouter = typeof appRouter;
