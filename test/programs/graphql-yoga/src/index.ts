import { createYoga } from 'graphql-yoga';
import { schema } from './schema.ts';

const yoga = createYoga({ schema, graphqlEndpoint: '/graphql', logging: false });

export default { fetch: (request: Request) => yoga.fetch(request) };
