import { SECRET_NAME } from './secret-name.ts';

const PARAMETER = /([?&;])([^=&;#]*)=([^&;#]*)/g;

/** A URL without the values of parameters whose names tell that they could be used: `?token=REDACTED`. */
export function redactUrl(url: string): string {
  if (!url.includes('?')) return url;
  return url.replace(PARAMETER, (whole, start: string, name: string) =>
    SECRET_NAME.test(decode(name)) ? `${start}${name}=REDACTED` : whole,
  );
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
