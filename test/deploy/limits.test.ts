/** Many destinations in one stack: packaged as an operator does it, and counted as AWS counts. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limitMistakes } from '../../infra/deploy/stack/limits.ts';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { evaluate, permissions, REGION, type Template } from './packaging/cloudformation.ts';
import { createService, type Packaged, type Service } from './packaging/service.ts';

/** Names as long as an integration team's are: queues, secrets, addresses and buckets of their own for each. */
function destinations(count: number, bucket = 'acme-integration-payloads-*'): Record<string, object> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `billing-documents-${index}`;
      return [
        name,
        {
          secret: `integration/cpi/${name}`,
          path: `/http/finance/${name}`,
          payloadBucket: bucket.replace('*', String(index)),
          webhook: { verify: 'basic', secret: `integration/webhooks/${name}`, mode: 'direct-else-queued' },
        },
      ];
    }),
  );
}

// Each is a run of the framework with a build in it.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const services: Service[] = [];
afterAll(() => Promise.all(services.map((service) => service.remove())));

async function packaged(count: number, bucket?: string): Promise<Packaged> {
  const service = await createService({ destinations: destinations(count, bucket) });
  services.push(service);
  return service.package('--stage', 'prod', '--region', REGION);
}

describe('110 destinations with webhooks', () => {
  let made: Packaged;
  let template: Template;
  beforeAll(async () => {
    made = await packaged(110);
    template = await made.template();
  });
  const ofType = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
  /** White space is not counted. */
  const characters = (document: unknown) => JSON.stringify(evaluate(document, template)).length;

  test('110 destinations with webhooks are packaged', () => {
    expect(made).toMatchObject({ exitCode: 0, errors: [expect.stringMatching(/^custom\.alarms: nobody is told/)] });
    expect(made.output.filter((line) => line.includes('/webhooks/billing-documents-'))).toHaveLength(110);
  });

  test('110 destinations with webhooks are 500 resources, 200 outputs and 1 MB of template at most', () => {
    expect(ofType('AWS::SQS::Queue')).toHaveLength(220);
    expect(ofType('AWS::Lambda::EventSourceMapping')).toHaveLength(110);
    expect(Object.keys(template.Resources).length).toBeLessThanOrEqual(500);
    expect(Object.keys(template.Outputs).length).toBeLessThanOrEqual(200);
    expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
  });

  test.each(['QueueRole', 'WebhookRole'])(
    'the role of %s with 110 destinations has 10,240 characters of its own and ten policies of 6,144 at most',
    (id) => {
      const { Policies, ManagedPolicyArns } = (template.Resources[id]?.Properties ?? {}) as {
        readonly Policies: readonly { readonly PolicyDocument: object }[];
        readonly ManagedPolicyArns: readonly { readonly Ref: string }[];
      };
      const inline = Policies.map(({ PolicyDocument }) => characters(PolicyDocument));
      expect(inline.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(10_240);
      expect(ManagedPolicyArns.length).toBeGreaterThan(0);
      expect(ManagedPolicyArns.length).toBeLessThanOrEqual(10);
      for (const { Ref } of ManagedPolicyArns)
        expect(characters(template.Resources[Ref]?.Properties.PolicyDocument), Ref).toBeLessThanOrEqual(6_144);
    },
  );

  test('110 destinations with webhooks have no policy that no role has', () => {
    const named = ofType('AWS::IAM::Role').flatMap(
      ([, { Properties }]) => Properties.ManagedPolicyArns as { Ref: string }[],
    );
    expect(ofType('AWS::IAM::ManagedPolicy').map(([id]) => id)).toEqual(named.map(({ Ref }) => Ref));
  });

  test('110 destinations with webhooks are each allowed what one alone is, and nothing by a wider pattern', () => {
    for (const role of ['QueueRole', 'WebhookRole']) {
      const allowed = permissions(role, template);
      const one = permissions(role, templateOf(1));
      const first = (text: string) =>
        text.replace('billing-documents-0', 'billing-documents-N').replace('payloads-0', 'payloads-N');
      const forEach = (values: readonly string[] = []) =>
        values.flatMap((value) =>
          first(value) === value
            ? [value]
            : Array.from({ length: 110 }, (_, index) => first(value).replaceAll('N', String(index))),
        );
      for (const [action, resources] of Object.entries(one))
        expect(allowed[action], action).toEqual(forEach(resources).sort());
      expect(Object.keys(allowed).sort()).toEqual(Object.keys(one).sort());
    }
  });

  test('110 destinations with webhooks leave the environment the name of a file', () => {
    const [[, queue] = []] = ofType('AWS::Lambda::Function');
    expect(queue?.Properties.Environment).toEqual({
      Variables: { DESTINATIONS: '@destinations.json', POWERTOOLS_SERVICE_NAME: 'token-relay-prod' },
    });
  });

  function templateOf(count: number): Template {
    const { resources } = stack({
      service: 'token-relay',
      stage: 'prod',
      region: REGION,
      custom: { destinations: destinations(count) },
    });
    // The framework's.
    const log = (name: string) => ({
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: `/aws/lambda/token-relay-prod-${name}` },
    });
    return {
      ...resources,
      Resources: { ...resources.Resources, QueueLogGroup: log('queue'), WebhookLogGroup: log('webhook') },
    };
  }
});

describe('beyond a limit one line names it, and nothing is made:', () => {
  test('a limit is named in one line, and nothing is made: 130 destinations with webhooks', async () => {
    const { exitCode, output, errors } = await packaged(130, 'acme-integration-payloads');
    expect({ exitCode, output, errors }).toEqual({
      exitCode: 1,
      output: [],
      errors: [
        expect.stringMatching(
          /^custom\.destinations: 5\d\d resources, CloudFormation takes 500; move destinations into a service of their own$/,
        ),
      ],
    });
  });

  const resources = (count: number, each: object = { Type: 'AWS::SQS::Queue' }) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`R${index}`, each]));

  test.each([
    ['500 resources', { Resources: resources(500) }, []],
    ['501 resources', { Resources: resources(501) }, ['custom.destinations: 501 resources, CloudFormation takes 500']],
    ['200 outputs', { Resources: {}, Outputs: resources(200) }, []],
    [
      '201 outputs',
      { Resources: {}, Outputs: resources(201) },
      ['custom.destinations: 201 outputs, CloudFormation takes 200'],
    ],
    [
      'a megabyte',
      { Resources: { R: { Type: 'x'.repeat(1_000_000) } } },
      ['custom.destinations: 1000031 bytes of template, CloudFormation takes 1000000'],
    ],
    [
      'eleven managed policies',
      { Resources: { R: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: Array(11).fill('arn') } } } },
      ['custom.destinations: 11 managed policies of R, IAM takes 10'],
    ],
    [
      'ten managed policies',
      { Resources: { R: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: Array(10).fill('arn') } } } },
      [],
    ],
  ])('a limit is named in one line, and nothing is made: %s', (_, template, lines) => {
    expect(limitMistakes(template as never)).toEqual(
      lines.map((line) => `${line}; move destinations into a service of their own`),
    );
  });

  test.each([
    [4083, []],
    [4084, ['provider.environment: 4097 bytes of variables with DESTINATIONS, Lambda takes 4096']],
  ])('a limit is named for variables of the operator’s own, %i bytes beside DESTINATIONS', (bytes, lines) => {
    const Variables = { DESTINATIONS: '{', X: 'x'.repeat(bytes - 1) };
    const template = {
      Resources: { R: { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables } } } },
    };
    expect(limitMistakes(template)).toEqual(lines);
  });
});
