export const handler = async (event, context) => ({
  event,
  requestId: context.awsRequestId,
  functionName: context.functionName,
  remainingMs: context.getRemainingTimeInMillis(),
  variables: process.env,
  execArgv: process.execArgv,
  cwd: process.cwd(),
  pid: process.pid,
});
