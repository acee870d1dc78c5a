/**
 * SAP's own client, the Cloud SDK, as the landscape's witness: its CSRF handshake, its OData requests, its `$batch`.
 */
import { executeHttpRequest } from '@sap-cloud-sdk/http-client';
import { BatchChangeSet } from '@sap-cloud-sdk/odata-v2';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RuntimeNodeOptions } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { batch, Order, orders, servicePath } from './sap-orders-service.ts';
import { environments, startTenant, stopTenants } from './sap-tenant.ts';

// Read when the SDK is loaded: it warns of each endpoint with a slash that it tries in vain.
vi.hoisted(() => {
  process.env.SAP_CLOUD_SDK_LOG_LEVEL = 'error';
});

afterEach(stopTenants);

interface AxiosFailure {
  readonly response: {
    readonly status: number;
    readonly data: { readonly error: { readonly code: null; readonly message: unknown } };
  };
}

function never(): never {
  throw new Error('it was not refused');
}

describe.each(environments)('SAP Cloud SDK: %s', (environment) => {
  /** Protected flows, `Safe` at HTTPS and `OData`, and the destination by which the SDK reaches them. */
  async function protectedFlows(options: Partial<RuntimeNodeOptions> = {}) {
    const { node, token } = await startTenant(environment, options);
    node.deploy({ name: 'Safe', address: '/safe' });
    node.deploy({ name: 'OData', sender: 'odata', address: '/ORDERS' });
    const authorization = `Bearer ${await token()}`;
    const destination = { url: node.url, headers: { authorization } };
    return { node, destination };
  }

  const calls = ({ requests }: Awaited<ReturnType<typeof protectedFlows>>['node']) =>
    requests.map(({ method, status, csrf, flowRan }) => [method, status, csrf, flowRan]);

  test('the CSRF middleware of SAP Cloud SDK fetches a token and posts to an HTTPS flow', async () => {
    const { node, destination } = await protectedFlows({ workers: 3 });
    const post = (data: unknown) =>
      executeHttpRequest(destination, { method: 'post', url: '/http/safe', data }, { fetchCsrfToken: true });
    for (const order of [1, 2, 3]) expect((await post({ order })).status).toBe(200);
    // With a slash at the end there is no flow, which is where the SDK looks first.
    const handshake = [
      ['HEAD', 404, 'fetch', false],
      ['HEAD', 200, 'fetch', false],
      ['POST', 200, 'sent', true],
    ];
    expect(calls(node)).toEqual([...handshake, ...handshake, ...handshake]);
    expect(node.messages.map(({ body }) => String(body))).toEqual(['{"order":1}', '{"order":2}', '{"order":3}']);
  });

  test('an HTTPS flow and an OData flow refuse SAP Cloud SDK without its CSRF middleware', async () => {
    const { node, destination } = await protectedFlows();
    for (const url of ['/http/safe', `${servicePath}/Orders`]) {
      const refused = executeHttpRequest(destination, { method: 'post', url, data: {} }, { fetchCsrfToken: false });
      await expect(refused).rejects.toThrow(/status code 403/);
    }
    expect(node.messages).toHaveLength(0);
  });

  test.each(['put', 'patch', 'delete'] as const)('the SAP Cloud SDK may %s to an HTTPS flow', async (method) => {
    const { node, destination } = await protectedFlows();
    await executeHttpRequest(destination, { method, url: '/http/safe', data: { a: 1 } }, { fetchCsrfToken: true });
    expect(node.messages).toMatchObject([{ method: method.toUpperCase(), status: 200 }]);
  });

  test('an entity is created, read, changed, listed and deleted by the request builders of SAP Cloud SDK', async () => {
    const { node, destination } = await protectedFlows({ workers: 2 });
    const { create, getByKey, getAll, update, delete: remove } = orders.requestBuilder();
    const order = orders.entityBuilder().orderId('O/7').note("it's new").build();
    const created = await create(order).execute(destination);
    expect(created).toBeInstanceOf(Order);
    expect(created).toMatchObject({ orderId: 'O/7', note: "it's new" });
    const read = await getByKey('O/7').execute(destination);
    expect(read).toMatchObject({ orderId: 'O/7', note: "it's new" });
    read.note = 'changed';
    await update(read).execute(destination);
    expect(await getAll().execute(destination)).toMatchObject([{ orderId: 'O/7', note: 'changed' }]);
    read.note = 'replaced';
    await update(read).replaceWholeEntityWithPut().execute(destination);
    await remove('O/7').execute(destination);
    expect(await getAll().execute(destination)).toEqual([]);
    expect(node.messages.map(({ odata }) => odata?.kind)).toEqual([
      'create',
      'read',
      'merge',
      'query',
      'update',
      'delete',
      'query',
    ]);
  });

  test('an error reaches the caller of SAP Cloud SDK with status and message', async () => {
    const { destination } = await protectedFlows();
    const { getByKey, create } = orders.requestBuilder();
    const order = orders.entityBuilder().orderId('7').build();
    await create(order).execute(destination);
    for (const [refused, status, text] of [
      [getByKey('8').execute(destination), 404, 'could not be found'],
      [create(order).execute(destination), 409, 'exists already'],
    ] as const) {
      const { rootCause } = (await refused.then(never, (error) => error)) as { rootCause: AxiosFailure };
      expect([rootCause.response.status, rootCause.response.data.error.code]).toEqual([status, null]);
      expect(rootCause.response.data.error.message).toMatchObject({
        lang: 'en',
        value: expect.stringContaining(text),
      });
    }
  });

  test.each(['relativeToService', 'relativeToEntity', 'noPath', 'absolute'] as const)(
    'a batch of SAP Cloud SDK, its paths %s, is answered: changesets of one operation, one of which fails',
    async (pathType) => {
      const { node, destination } = await protectedFlows();
      const { create, getByKey, getAll, update } = orders.requestBuilder();
      const order = (id: string) => orders.entityBuilder().orderId(id).note(`note of ${id}`).build();
      const answers = await batch(
        new BatchChangeSet([create(order('1'))]),
        new BatchChangeSet([create(order('1'))]),
        new BatchChangeSet([create(order('2'))]),
        new BatchChangeSet([update(order('1'))]),
        getByKey('2'),
        getAll(),
      )
        .withSubRequestPathType(pathType)
        .execute(destination);
      const outcome = answers.map((answer) =>
        answer.isWriteResponses() ? answer.responses.map(({ httpCode }) => httpCode) : answer.httpCode,
      );
      expect(outcome).toEqual([[201], 409, [201], [204], 200, 200]);
      const [, , , , second, all] = answers;
      expect(second?.isReadResponse() && second.as(orders)).toMatchObject([{ orderId: '2', note: 'note of 2' }]);
      expect(all?.isReadResponse() && all.as(orders)).toMatchObject([{ orderId: '1' }, { orderId: '2' }]);
      expect(node.requests.at(-1)).toMatchObject({ method: 'POST', status: 202 });
      expect(node.messages).toHaveLength(6);
    },
  );

  test('a changeset of two operations by SAP Cloud SDK is refused in its place', async () => {
    const { node, destination } = await protectedFlows();
    const { create } = orders.requestBuilder();
    const order = () => orders.entityBuilder().note('x').build();
    const [answer] = await batch(new BatchChangeSet([create(order()), create(order())])).execute(destination);
    expect(answer).toMatchObject({ httpCode: 400 });
    expect(node.messages).toHaveLength(0);
  });
});
