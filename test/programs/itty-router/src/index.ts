import { AutoRouter, cors, error, type IRequest, json, StatusError, text, withContent } from 'itty-router';

const { preflight, corsify } = cors({ origin: 'https://example.com' });

const todos = new Map<string, { readonly title: string }>([['1', { title: 'buy milk' }]]);

const withUser = (request: IRequest): Response | undefined => {
  const user = request.headers.get('x-user');
  if (user === null) return error(401, 'Who are you?');
  request['user'] = user;
  return undefined;
};

const router = AutoRouter({
  before: [preflight],
});

router
  .get('/public', () => corsify(json({ open: true })))
  .get('/', () => text('Hello from itty-router'))
  .get('/greet/:name?', ({ params, query }: IRequest) => ({ hello: params['name'] ?? 'stranger', query }))
  .get('/todos/:id', ({ id }: IRequest) => todos.get(id as string) ?? error(404, 'That todo was not found'))
  .post('/todos', withContent, ({ content }: IRequest) => json({ created: content as unknown }, { status: 201 }))
  .get('/files/:path+', ({ params }: IRequest) => params)
  .get('/photo.:format', ({ params }: IRequest) => params)
  .all('/me', withUser, ({ user, method }: IRequest) => ({ user: user as string, method }))
  .get('/teapot', () => {
    throw new StatusError(418, { reason: 'short and stout' });
  })
  .get('/broken', () => {
    throw new Error('broken on purpose');
  });

export default router;
