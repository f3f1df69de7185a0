import { GraphQLError } from 'graphql';
import { createPubSub, createSchema, Repeater } from 'graphql-yoga';

interface Message {
  readonly id: string;
  readonly text: string;
  readonly author: string | null;
}

const pubSub = createPubSub<{ posted: [message: Message] }>();
const messages: Message[] = [{ id: '1', text: 'first', author: null }];

export const schema = createSchema<{ request: Request }>({
  typeDefs: /* GraphQL */ `
    type Message {
      id: ID!
      text: String!
      author: String
    }
    type Query {
      hello(name: String = "world"): String!
      messages(first: Int): [Message!]!
      secret: String
      broken: String
      agent: String
    }
    type Mutation {
      post(text: String!, author: String): Message!
      size(file: File!): Int!
    }
    type Subscription {
      countdown(from: Int!): Int!
      posted: Message!
    }
    scalar File
  `,
  resolvers: {
    Query: {
      hello: (_, { name }: { name: string }) => `Hello ${name}`,
      messages: (_, { first }: { first?: number }) => messages.slice(0, first ?? undefined),
      secret: () => {
        throw new GraphQLError('Not for you', { extensions: { code: 'FORBIDDEN', http: { status: 403 } } });
      },
      broken: () => {
        throw new Error('a password is in this message');
      },
      agent: (_, __, { request }) => request.headers.get('user-agent'),
    },
    Mutation: {
      post: (_, { text, author }: { text: string; author?: string }) => {
        const message = { id: String(messages.length + 1), text, author: author ?? null };
        messages.push(message);
        pubSub.publish('posted', message);
        return message;
      },
      size: async (_, { file }: { file: File }) => (await file.arrayBuffer()).byteLength,
    },
    Subscription: {
      countdown: {
        async *subscribe(_, { from }: { from: number }) {
          for (let countdown = from; countdown >= 0; countdown--) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            yield { countdown };
          }
        },
      },
      posted: {
        subscribe: () => Repeater.merge([pubSub.subscribe('posted')]),
        resolve: (message: Message) => message,
      },
    },
  },
});
