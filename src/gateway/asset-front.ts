import { readFile } from 'node:fs/promises';
import { type AssetBody, Pump, respond, type Site, Sites } from '../assets/index.ts';
import { blobPath } from '../blob-file.ts';
import type { VersionId } from '../ids.ts';
import type { VersionAssets } from '../model.ts';
import { AssetBodies } from './asset-bodies.ts';
import type { ClientRequest } from './client-request.ts';
import type { PageLog } from './page-log.ts';
import type { WorkerRoute } from './routes.ts';

/** A request for a version that has files. */
interface AssetQuestion {
  readonly route: WorkerRoute;
  readonly version: VersionId;
  readonly assets: VersionAssets;
  readonly host: string;
  /** With the query. */
  readonly path: string;
}

export interface AssetFrontOptions {
  /** Where blobs are: manifests and files. */
  readonly blobsDir: string;
  readonly log: PageLog;
  /** Files that should be there cannot be read. */
  readonly onFault: (error: unknown) => void;
}

/** Answers requests with files of the version that serves them, where there is one: nothing of it enters an isolate. */
export class AssetFront {
  readonly #sites: Sites;
  readonly #bodies: AssetBodies;
  readonly #log: PageLog;
  readonly #onFault: (error: unknown) => void;

  constructor({ blobsDir, log, onFault }: AssetFrontOptions) {
    this.#sites = new Sites((sha256) => readFile(blobPath(blobsDir, sha256)));
    this.#bodies = new AssetBodies(blobsDir);
    this.#log = log;
    this.#onFault = onFault;
  }

  /** Answers the request, or starts it on its way to the Worker. */
  serve(request: ClientRequest, route: WorkerRoute, { host, path }: { host: string; path: string }): void {
    const version = request.versionOf(route);
    const assets = route.assets?.get(version);
    if (assets === undefined) {
      request.start(route, host, path);
      return;
    }
    const question = { route, version, assets, host, path };
    const site = this.#sites.get(question.assets.manifest);
    if (site !== undefined) this.#serve(request, question, site);
    else void this.#load(request, question);
  }

  async #load(request: ClientRequest, question: AssetQuestion): Promise<void> {
    try {
      const site = await this.#sites.load(question.assets.manifest);
      if (!request.done) this.#serve(request, question, site);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #serve(request: ClientRequest, question: AssetQuestion, site: Site): void {
    const { route, version, assets, host, path } = question;
    const { method = 'GET', headers } = request.req;
    const isNavigation = headers['sec-fetch-mode'] === 'navigate';
    const asked = { method, scheme: request.client.scheme, host, path, isNavigation };
    const answer = assets.only === true ? site.fetch(asked) : site.route(asked);
    if (answer === undefined) {
      request.start(route, host, path);
      return;
    }
    const response = respond(answer, {
      method,
      ifNoneMatch: headers['if-none-match'],
      range: headers.range,
      ifRange: headers['if-range'] as string | undefined,
      authorization: headers.authorization,
    });
    const { account, worker } = route;
    this.#log.addAsset({
      ray: request.ray,
      status: response.status,
      account,
      worker,
      version,
      method,
      url: `${host}${path}`,
    });
    const { status, headers: fields, body } = response;
    if (body === undefined) request.answer(status, fields);
    else if (!this.#sendCached(request, { status, fields, body })) void this.#send(request, { status, fields, body });
  }

  #sendCached(request: ClientRequest, { status, fields, body }: FileResponse): boolean {
    const { file, start, end } = body;
    const cached = this.#bodies.get(file);
    if (cached === undefined) return false;
    if (typeof cached === 'string') {
      request.answer(status, fields, end - start === file.bytes ? cached : cached.slice(start, end));
      return true;
    }
    const isTaken = request.answer(status, fields, end - start === file.bytes ? cached : cached.subarray(start, end));
    if (!isTaken) request.res.once('close', this.#bodies.hold(file));
    return true;
  }

  async #send(request: ClientRequest, response: FileResponse): Promise<void> {
    const { status, fields, body } = response;
    try {
      if ((await this.#bodies.load(body.file)) !== undefined) {
        if (!request.done) this.#sendCached(request, response);
        return;
      }
      const blob = await this.#bodies.open(body.file);
      if (request.done) await blob.close();
      else request.send(status, fields, (sink) => new Pump(blob, body, sink));
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #fail(request: ClientRequest, error: unknown): void {
    this.#onFault(error);
    request.fail('assetFailed');
  }
}

interface FileResponse {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: AssetBody;
}
