/** What the API answers, as far as it is shown. */
export interface Session {
  readonly actor: string;
  /** `*`: the operator. */
  readonly account: string;
  readonly scopes: readonly string[];
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
}

export interface Script {
  readonly id: string;
  readonly created_on: string;
  readonly modified_on: string;
}

export interface Worker extends Script {
  readonly name: string;
  readonly subdomain: { readonly enabled: boolean; readonly url: string; readonly previews_enabled: boolean };
}

export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startup_time_ms: number;
  readonly metadata: { readonly created_on: string; readonly author_email: string; readonly source: string };
  readonly resources: {
    readonly bindings: readonly Binding[];
    readonly script: { readonly handlers: readonly string[] };
    readonly script_runtime: {
      readonly compatibility_date: string;
      readonly compatibility_flags: readonly string[];
    };
  };
}

export interface Deployment {
  readonly id: string;
  readonly source: string;
  readonly author_email: string;
  readonly created_on: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

export interface Route {
  readonly id: string;
  readonly pattern: string;
}

export interface Domain {
  readonly id: string;
  readonly hostname: string;
}

export interface Schedule {
  readonly cron: string;
}

export interface TryAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly encoding: 'utf-8' | 'base64';
  readonly truncated: boolean;
  readonly head_ms: number;
  readonly total_ms: number;
}
