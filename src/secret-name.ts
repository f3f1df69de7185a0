/** As at Cloudflare: whoever may read logs need not be able to act as the visitors. */
export const SECRET_NAME = /auth|cookie|key|secret|token|jwt/i;
