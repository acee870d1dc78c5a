/** undici-oidc-interceptor on an Agent of undici: the library keeps the token and renews it. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Agent, request } from 'undici';
import { createOidcInterceptor } from 'undici-oidc-interceptor';

const { SECRET_ID, ENDPOINT_URL } = process.env;
const secretsManager = new SecretsManagerClient();
let dispatcher;

async function connected() {
  if (dispatcher !== undefined) return dispatcher;
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: SECRET_ID }));
  const { clientid, clientsecret, tokenurl } = JSON.parse(SecretString).oauth;
  dispatcher ??= new Agent({ connections: 10 }).compose(
    createOidcInterceptor({
      clientId: clientid,
      clientSecret: clientsecret,
      idpTokenUrl: tokenurl,
      contentType: 'form',
      retryOnStatusCodes: [401],
      urls: [new URL(ENDPOINT_URL).origin],
    }),
  );
  return dispatcher;
}

async function forward({ messageId, body: message }) {
  const { statusCode, body } = await request(ENDPOINT_URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', SAP_ApplicationID: messageId },
    body: message,
    dispatcher: await connected(),
  });
  await body.text();
  if (statusCode >= 300) throw new Error(`answered ${statusCode}`);
}

export async function handler({ Records }) {
  const results = await Promise.allSettled(Records.map(forward));
  const failed = Records.filter((_, index) => results[index].status === 'rejected');
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
