import { z } from 'zod';

const Address = z.object({ street: z.string().min(1), zip: z.string().regex(/^\d{5}$/, 'must be five digits') });

const User = z
  .strictObject({
    id: z.uuid(),
    email: z.email(),
    born: z.coerce.date().max(new Date('2100-01-01')),
    role: z.enum(['admin', 'member']).default('member'),
    address: Address.optional(),
    contact: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('phone'), number: z.string().transform((text) => text.replaceAll(' ', '')) }),
      z.object({ kind: z.literal('mail') }),
    ]),
  })
  .refine(({ role, address }) => role !== 'admin' || address !== undefined, {
    path: ['address'],
    error: 'An admin needs an address',
  });

const Name = z.string().refine(
  async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return name !== 'taken';
  },
  { error: 'This name is taken' },
);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/schema') return Response.json(z.toJSONSchema(User, { io: 'input', unrepresentable: 'any' }));
    if (pathname === '/name') {
      const name = await Name.safeParseAsync(searchParams.get('name'));
      return name.success ? new Response(name.data) : new Response(z.prettifyError(name.error), { status: 400 });
    }
    const user = User.safeParse(await request.json());
    if (user.success) return Response.json(user.data);
    return Response.json(z.flattenError(user.error), { status: 400 });
  },
};
