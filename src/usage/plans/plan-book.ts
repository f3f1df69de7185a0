/** The plans of a platform: which there are, which one an account has, and which ones its bill is compared with. */
import { z } from 'zod';
import { type Plan, PlanSchema } from './plan.ts';
import shipped from './shipped.json' with { type: 'json' };

const MAX_PLANS = 1_000;
const PlanName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -');

/** A file of plans. What it leaves out is as in the shipped one. */
const BookSchema = z.strictObject({
  default: PlanName.optional(),
  compare: z.array(PlanName).max(20).optional(),
  plans: z
    .record(PlanName, PlanSchema)
    .refine((plans) => Object.keys(plans).length <= MAX_PLANS, `must be at most ${MAX_PLANS} plans`)
    .default({}),
  accounts: z
    .record(
      z.string().max(100),
      z.strictObject({
        plan: PlanName.optional(),
        /** Who the account is at Stripe: its usage is exported there. */
        stripeCustomer: z
          .string()
          .regex(/^cus_\w{1,100}$/, 'must be the id of a customer, cus_…')
          .optional(),
        /** Fields of the plan that this account has otherwise; `included` field by field. */
        overrides: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default({}),
});
type BookInput = z.output<typeof BookSchema>;

export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
}

export class PlanBook {
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #accounts: ReadonlyMap<string, NamedPlan>;
  readonly #overrides: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** The accounts whose usage is exported, and who each is at Stripe. */
  readonly customers: ReadonlyMap<string, string>;
  readonly #default: NamedPlan;
  readonly #compare: readonly NamedPlan[];

  constructor({ default: standard, compare, plans, accounts }: BookInput) {
    this.#plans = new Map(Object.entries({ ...SHIPPED.plans, ...plans }));
    this.#default = this.#named(standard ?? SHIPPED.default ?? '', 'default');
    this.#compare = (compare ?? SHIPPED.compare ?? []).map((name) => this.#named(name, 'compare'));
    this.customers = new Map(
      Object.entries(accounts).flatMap(([account, { stripeCustomer }]) =>
        stripeCustomer === undefined ? [] : [[account, stripeCustomer] as const],
      ),
    );
    this.#overrides = new Map(Object.entries(accounts).map(([account, { overrides = {} }]) => [account, overrides]));
    this.#accounts = new Map(
      Object.entries(accounts).map(([account, { plan, overrides = {} }]) => {
        const base = plan === undefined ? this.#default : this.#named(plan, `accounts.${account}.plan`);
        return [account, { name: base.name, plan: override(base.plan, overrides, account) }];
      }),
    );
  }

  /**
   * The plan of an account, with what is otherwise for this one: `assigned`, or the one of the file. Throws a RangeError when there
   * is no such plan, or it cannot have the overrides of the account.
   */
  of(account: string, assigned?: string): NamedPlan {
    if (assigned === undefined) return this.#accounts.get(account) ?? this.#default;
    const { name, plan } = this.#named(assigned, 'plan');
    return { name, plan: override(plan, this.#overrides.get(account) ?? {}, account) };
  }

  /** The plans that every bill is compared with. */
  get compared(): readonly NamedPlan[] {
    return this.#compare;
  }

  get(name: string): Plan | undefined {
    return this.#plans.get(name);
  }

  #named(name: string, where: string): NamedPlan {
    const plan = this.#plans.get(name);
    if (plan !== undefined) return { name, plan };
    throw new RangeError(`${where}: there is no plan '${name}'; there are ${[...this.#plans.keys()].join(', ')}`);
  }
}

/**
 * Parses a file of plans, as JSON. Throws a RangeError that says what is wrong, and where. Without a text, the shipped
 * plans as they are.
 */
export function parsePlanBook(text = '{}'): PlanBook {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  return new PlanBook(parse(BookSchema, json, ''));
}

const SHIPPED: BookInput = parse(BookSchema, shipped, 'shipped');

function override(plan: Plan, overrides: Readonly<Record<string, unknown>>, account: string): Plan {
  const { included = {}, ...fields } = overrides;
  const where = `accounts.${account}.overrides`;
  if (typeof included !== 'object' || included === null) throw new RangeError(`${where}.included: must be an object`);
  return parse(PlanSchema, { ...plan, ...fields, kind: plan.kind, included: { ...plan.included, ...included } }, where);
}

function parse<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const path = [where, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  throw new RangeError(`${path === '' ? 'the file' : path}: ${issue?.message ?? 'is not valid'}`);
}
