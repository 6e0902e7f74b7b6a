// What a provider module costs until its first check has ended, in a process of its own: `node firstCheck.cjs MODULE`.
const { performance } = require("node:perf_hooks");

const before = { memory: process.memoryUsage().rss, started: performance.now() };
const { provider } = require(require.resolve(process.argv[2], { paths: [process.cwd()] }));

async function main() {
  const news = JSON.parse(process.argv[3]);
  if (provider.configure) await provider.configure({ config: { get: () => undefined } });
  const { failures } = await provider.check({}, news);
  const milliseconds = performance.now() - before.started;
  const megabytes = (process.memoryUsage().rss - before.memory) / 1_048_576;
  if (failures?.length > 0) throw new Error(JSON.stringify(failures));
  console.log(JSON.stringify({ milliseconds, megabytes }));
}

void main();
