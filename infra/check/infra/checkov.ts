/** checkov: is each resource configured as its rules of security ask. */
import type { Finding, PackagedStage } from './finding.ts';
import { runTool } from './python.ts';

interface Result {
  readonly results: { readonly failed_checks: readonly Check[] };
  readonly summary: { readonly passed: number; readonly parsing_errors: number; readonly resource_count: number };
}

interface Check {
  readonly check_id: string;
  readonly check_name: string;
  readonly file_abs_path: string;
  /** `AWS::SQS::Queue.QueueOfOrders`. */
  readonly resource: string;
}

/** @throws Error if it did not come to a result, or did not read every resource */
export async function checkov(stages: readonly PackagedStage[]): Promise<readonly Finding[]> {
  const files = stages.flatMap(({ path }) => ['--file', path]);
  // Without --skip-download it asks its maker's server for the texts of its rules.
  const options = ['--framework', 'cloudformation', '--output', 'json', '--quiet', '--compact', '--skip-download'];
  const { output, errors } = await runTool('checkov', [...options, ...files]);
  if (!output.trim().startsWith('{')) throw new Error(errors.trim() || 'checkov said nothing');
  const { results, summary } = JSON.parse(output) as Result;
  const expected = stages.reduce((sum, { resources }) => sum + resources.length, 0);
  if (summary.parsing_errors > 0 || summary.resource_count < expected)
    throw new Error(`checkov read ${summary.resource_count} of ${expected} resources`);
  return results.failed_checks.map(({ check_id, check_name, file_abs_path, resource }) => ({
    stage: stages.find(({ path }) => path === file_abs_path)?.name ?? file_abs_path,
    rule: check_id,
    resource: resource.slice(resource.indexOf('.') + 1),
    message: check_name,
  }));
}
