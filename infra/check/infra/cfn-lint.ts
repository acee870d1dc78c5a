/** cfn-lint: is each resource as CloudFormation's registry describes it, in the stage's region. Errors and warnings. */
import type { Finding, PackagedStage } from './finding.ts';
import { runTool } from './python.ts';
import { REGION } from './stages.ts';

interface Match {
  readonly Filename: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly (string | number)[] | null };
  readonly Message: string;
}

/** @throws Error if it did not come to a result */
export async function cfnLint(stages: readonly PackagedStage[]): Promise<readonly Finding[]> {
  const files = stages.map(({ path }) => path);
  const { output, errors } = await runTool('cfn-lint', ['--format', 'json', '--regions', REGION, '--', ...files]);
  if (!output.trim().startsWith('[')) throw new Error(errors.trim() || 'cfn-lint said nothing');
  return (JSON.parse(output) as Match[]).map(({ Filename, Rule, Location, Message }) => ({
    stage: stages.find(({ path }) => path === Filename)?.name ?? Filename,
    rule: Rule.Id,
    // Resources/<logical id>/…; of an Output, or of a file that is no template, its own place.
    resource: String(Location.Path?.[1] ?? Location.Path?.[0] ?? 'template'),
    message: Message,
  }));
}
