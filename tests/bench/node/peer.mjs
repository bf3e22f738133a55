// Benchmark in Node.js: Microsoft's SDK as its quickstart shows it, or vaultlet.
//
// peer.mjs sdk|ours cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS
const start = performance.now();
const [client, task, ...numbers] = process.argv.slice(2);

let get;
if (client === "ours") {
  const vaultlet = await import("vaultlet");
  get = async (name) => (await vaultlet.get(`akv://bench-kv/${name}`)).reveal();
} else {
  const [{ DefaultAzureCredential }, { SecretClient }] = await Promise.all([
    import("@azure/identity"),
    import("@azure/keyvault-secrets"),
  ]);
  const secrets = new SecretClient("https://bench-kv.vault.azure.net", new DefaultAzureCredential());
  get = async (name) => (await secrets.getSecret(name)).value;
}

async function call(name) {
  const begun = performance.now();
  const value = await get(name);
  const duration = performance.now() - begun;
  if (value !== `value-of-${name}-0123456789abcdef0123456789abcdef`) throw new Error(`${name} has a wrong value`);
  return duration;
}

const faults = () => process.resourceUsage().minorPageFault;
const cpu = () => Object.values(process.cpuUsage()).reduce((sum, us) => sum + us, 0);

function report(first, imported, durations, wall, used, faulted) {
  durations.sort((a, b) => a - b);
  const at = (percent) => durations[Math.min(Math.floor((durations.length * percent) / 100), durations.length - 1)] * 1e3;
  console.log(JSON.stringify({
    calls: durations.length, first_us: first * 1e3, import_us: imported * 1e3, median_us: at(50), p99_us: at(99),
    wall_us: wall * 1e3, cpu_us: used, faults: faulted,
    rss_kib: Math.round(process.memoryUsage.rss() / 1024),
  }));
}

async function warm(calls, different) {
  const first = await call("s0");
  const imported = performance.now() - start;
  const durations = [];
  const [wall, used, faulted] = [performance.now(), cpu(), faults()];
  for (let i = 1; i <= calls; i++) durations.push(await call(different ? `s${i}` : "s0"));
  report(first, imported, durations, performance.now() - wall, cpu() - used, faults() - faulted);
}

async function conc(callers, calls) {
  const all = async (many) => {
    const durations = [];
    let next = 0;
    const caller = async () => {
      while (next < many) durations.push(await call(`s${next++}`));
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return durations;
  };
  await all(Math.floor(calls / 5));
  const [wall, used, faulted] = [performance.now(), cpu(), faults()];
  report(0, 0, await all(calls), performance.now() - wall, cpu() - used, faults() - faulted);
}

const [one, two] = numbers.map(Number);
if (task === "cold") console.log(await get(numbers[0]));
else if (task === "warm-same") await warm(one, false);
else if (task === "warm-diff") await warm(one, true);
else if (task === "conc") await conc(one, two);
else throw new Error(`no such task: ${task}`);
