import { HttpError, toErrorResponse } from './errors.ts';
import { createRouter } from './router.ts';
import { convertTemperature, countWords, echoHeaders, showInfo } from './routes.ts';

/** What wrangler.jsonc sets under `vars`. */
export interface Env {
  readonly API_NAME: string;
  readonly MAX_TEXT_LENGTH: number;
}

const router = createRouter<Env>()
  .on('GET', '/', showInfo)
  .on('GET', '/temperature/:celsius', convertTemperature)
  .on('GET', '/headers', echoHeaders)
  .on('POST', '/words', countWords);

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return await router.handle(request, env);
    } catch (error) {
      if (error instanceof HttpError) return toErrorResponse(error);
      throw error; // a fault of ours: the platform records it with its stack and answers 500
    }
  },
};
