interface Env {
  readonly GREETER: { fetch(input: string, init?: RequestInit): Promise<Response> };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name = new URL(request.url).searchParams.get('name') ?? 'customer';
    // The host name means nothing to a service binding, but a URL must have one.
    const answer = await env.GREETER.fetch('http://greeter/', { method: 'POST', body: JSON.stringify({ name }) });
    const { greeting } = (await answer.json()) as { greeting: string };
    return new Response(`<h1>${escapeHtml(greeting)}</h1>\n`, { headers: { 'content-type': 'text/html' } });
  },
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
