/**
 * SAP Cloud SDK: `serviceToken` with the library's own cache, and `executeHttpRequest`, whose fetch of a CSRF token
 * before each POST is switched off, since the endpoint asks for none.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { serviceToken } from '@sap-cloud-sdk/connectivity';
import { executeHttpRequest } from '@sap-cloud-sdk/http-client';

const { SECRET_ID, ENDPOINT_URL } = process.env;
const secretsManager = new SecretsManagerClient();
let binding;

async function accessToken() {
  if (binding === undefined) {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: SECRET_ID }));
    const { clientid, clientsecret, tokenurl } = JSON.parse(SecretString).oauth;
    const credentials = { clientid, clientsecret, url: new URL(tokenurl).origin, tenantid: 'acme-dev' };
    binding = { label: 'it-rt', name: 'acme', tags: [], credentials };
  }
  return serviceToken(binding);
}

async function forward({ messageId, body }) {
  const { origin, pathname } = new URL(ENDPOINT_URL);
  await executeHttpRequest(
    { url: origin, authentication: 'NoAuthentication' },
    {
      method: 'post',
      url: pathname,
      data: body,
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${await accessToken()}`,
        SAP_ApplicationID: messageId,
      },
    },
    { fetchCsrfToken: false },
  );
}

export async function handler({ Records }) {
  const results = await Promise.allSettled(Records.map(forward));
  const failed = Records.filter((_, index) => results[index].status === 'rejected');
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
