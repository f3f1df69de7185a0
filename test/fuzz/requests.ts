/** Requests for every route that the API's own document lists, most of them wrong in some way. */
import type { Random } from '../../src/guest/testing/random.ts';
import { anyQuery, hostileBody, hostileForm, hostileSegment, mutate } from './hostile.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly additionalProperties?: Schema | boolean;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Route {
  readonly method: string;
  /** With `{name}` for its parameters. */
  readonly path: string;
  readonly body: Schema | undefined;
  readonly isForm: boolean;
}

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly account: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Whose things a request may name. */
export interface Targets {
  readonly own: string;
  readonly foreign: string;
  /** Names and ids of things, of both accounts, by the parameter that they are good for. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
}

export function listRoutes({ paths }: ApiDocument): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody }]) => {
      const content = requestBody?.content ?? {};
      return {
        method: method.toUpperCase(),
        path,
        body: content['application/json']?.schema,
        isForm: 'multipart/form-data' in content,
      };
    }),
  );
}

export function toHostileRequest(route: Route, targets: Targets, random: Random): FuzzRequest {
  let account = '';
  const path = route.path.replaceAll(/\{([\w*]+)\}/g, (_, name: string) => {
    const value = toParameter(name, targets, random);
    if (name === 'account') account = value;
    return value;
  });
  const { body, type } = toBody(route, targets, random);
  // A method that the route does not have now and then.
  const method = random.chance(97) ? route.method : random.pick(['GET', 'PUT', 'POST', 'PATCH', 'DELETE']);
  return {
    method,
    path: path + anyQuery(random),
    account,
    headers: { ...(type !== undefined && { 'content-type': type }) },
    body: method === 'GET' ? undefined : body,
  };
}

function toParameter(name: string, { own, foreign, ids }: Targets, random: Random): string {
  if (name === 'account') {
    if (random.chance(45)) return foreign;
    return random.chance(85) ? own : hostileSegment(random);
  }
  if (random.chance(25)) return hostileSegment(random);
  return random.pick(ids[name] ?? Object.values(ids).flat());
}

function toBody(
  route: Route,
  targets: Targets,
  random: Random,
): { body: string | undefined; type: string | undefined } {
  if (route.isForm) return hostileForm(random);
  if (random.chance(15))
    return { body: hostileBody(random), type: random.pick([undefined, 'application/json', 'text/plain']) };
  if (route.body === undefined) return { body: random.chance(80) ? undefined : hostileBody(random), type: undefined };
  const valid = example(route.body, targets, random);
  // A valid one for the things of the other account is an attack as well.
  const value = random.chance(25) ? valid : mutate(valid, random);
  return { body: JSON.stringify(value) ?? 'null', type: random.pick(['application/json', 'text/plain;charset=UTF-8']) };
}

/** A value that fits the schema more or less. */
function example(schema: Schema, targets: Targets, random: Random): unknown {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return example(random.pick(choices), targets, random);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  switch (type) {
    case 'object': {
      const known = Object.entries(schema.properties ?? {}).filter(() => random.chance(80));
      const more =
        typeof schema.additionalProperties === 'object' ? [['key', schema.additionalProperties] as const] : [];
      return Object.fromEntries([...known, ...more].map(([key, inner]) => [key, example(inner, targets, random)]));
    }
    case 'array':
      return [example(schema.items ?? {}, targets, random)];
    case 'integer':
    case 'number':
      return (schema.minimum ?? 0) + random.below(100);
    case 'boolean':
      return random.chance(50);
    case 'null':
      return null;
    case undefined:
    default:
      return random.pick(Object.values(targets.ids).flat());
  }
}
