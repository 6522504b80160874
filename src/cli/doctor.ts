/** mlp doctor: what this machine offers, what `auto` chooses, and how fast it is. */
import { automaticBackends, measureRates } from '../doctor/doctor.js';
import { findingsOfConfig, gatherFindings } from '../doctor/findings.js';
import { findEveryBlas, thisMachine } from '../kernels/blas/find.js';
import { detectFeatures } from '../kernels/wasm/loader.js';
import { version } from '../version.js';
import { renderFindings, renderRates } from './doctorText.js';
import type { CommonOptions } from './options.js';
import { print, toJson } from './output.js';
import { displayOf } from './terminal.js';

export async function run(path: string | undefined, options: CommonOptions): Promise<void> {
  const features = detectFeatures();
  const config = path === undefined ? undefined : await findingsOfConfig(path, features);
  const search = findEveryBlas(thisMachine());
  const auto = automaticBackends(features, search);
  const findings = {
    mlp: version(),
    ...gatherFindings(features, search),
    auto,
    ...(config && { config }),
  };
  const measure = () => measureRates(features, search, config ?? auto.large, findings.cpu.available);

  if (options.json) {
    print(toJson({ ...findings, rates: await measure() }, 2));
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  // Printed first: the measurement takes a second or two and runs foreign code.
  print(renderFindings(findings, display));
  print(`\n${renderRates(await measure(), findings, display)}`);
}
