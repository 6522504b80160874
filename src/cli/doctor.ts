/** mlp doctor: what this machine offers, what `auto` makes of it, and how fast it is. */
import { Command } from 'commander';

interface DoctorOptions {
  json?: boolean;
  color: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('print what this machine offers to train with, how fast it is, and what auto takes')
    .argument('[config.json]', 'a train config, to see what auto takes for it')
    .action(run);
}

async function run(path: string | undefined, options: DoctorOptions, command: Command): Promise<void> {
  const { detectFeatures } = await import('../kernels/wasm/loader.js');
  const { findEveryBlas } = await import('../kernels/blas/find.js');
  const { automaticBackends, measureRates } = await import('../doctor/doctor.js');
  const { findingsOfConfig, gatherFindings } = await import('./findings.js');
  const { thisMachine } = await import('./machine.js');
  const { print, toJson } = await import('./output.js');

  const features = detectFeatures();
  const config = path === undefined ? undefined : await findingsOfConfig(path, features);
  const search = findEveryBlas(thisMachine());
  const auto = automaticBackends(features, search);
  const findings = {
    mlp: command.parent?.version() ?? '',
    ...gatherFindings(features, search),
    auto,
    ...(config && { config }),
  };
  const measure = () => measureRates(features, search, config ?? auto.large, findings.cpu.available);

  if (options.json) {
    print(toJson({ ...findings, rates: await measure() }, 2));
    return;
  }
  const { renderFindings, renderRates } = await import('./doctorText.js');
  const { displayOf } = await import('./terminal.js');
  const display = await displayOf(process.stdout, options.color);
  // Before the measurement: that takes a second or two, and runs code of others.
  print(renderFindings(findings, display));
  print(`\n${renderRates(await measure(), findings, display)}`);
}
