/** The quotas of this platform: who refuses, who is told, and what of the ledger they hear. */
import type { Ledger } from '../store/index.ts';
import { type QuotaNotice, Quotas, Webhooks } from '../usage/index.ts';
import type { GatewayProcess } from './gateway-process.ts';

export interface PlatformQuotasDeps {
  readonly ledger: Ledger;
  readonly gateway: Pick<GatewayProcess, 'setAccounts'>;
  /** That notices are signed with. */
  readonly key: Uint8Array;
  readonly onWarning: (message: string) => void;
}

export function createQuotas(deps: PlatformQuotasDeps): { quotas: Quotas; webhooks: Webhooks } {
  const { ledger, gateway, key, onWarning } = deps;
  const webhooks = new Webhooks({ key, onFailure: onWarning, now: Date.now });
  const quotas = new Quotas({
    ledger,
    refuse: (account, isRefused) => gateway.setAccounts(isRefused ? { refuse: [account] } : { admit: [account] }),
    notify: (notice) => {
      onWarning(toText(notice));
      const { account, webhook } = notice;
      if (webhook !== undefined) webhooks.send({ account, url: webhook, ...toEvent(notice) });
    },
    now: Date.now,
    onError: (error) => onWarning(`Cannot keep a quota: ${String(error)}`),
  });
  return { quotas, webhooks };
}

function toText({ account, limit, period, percent, used, allowed, isRefused }: QuotaNotice): string {
  const what = isRefused ? '; its requests are refused' : '';
  return `Account ${account} has used ${percent} % of its ${limit} of ${period}: ${used} of ${allowed}${what}`;
}

function toEvent({ account, limit, period, percent, used, allowed, isRefused }: QuotaNotice) {
  const id = `${account}:${limit}:${period}:${allowed}:${percent}`;
  return { id, body: { type: 'quota', account, limit, period, percent, used, allowed, refused: isRefused } };
}
