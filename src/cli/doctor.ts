/** mlp doctor: what this machine offers, what `auto` chooses, and how fast it is. */
import { automaticBackends, measureRates, type Rate } from '../doctor/doctor.js';
import { type ConfigFindings, type Findings, findingsOfConfig, gatherFindings } from '../doctor/findings.js';
import { findEveryBlas, thisMachine } from '../kernels/blas/find.js';
import { bfloat16Missing, findNative, type NativeSet } from '../kernels/native/find.js';
import { detectFeatures } from '../kernels/wasm/loader.js';
import type { Display } from '../report/style.js';
import { formatTable } from '../report/table.js';
import { pad } from '../report/width.js';
import { counted, formatBytes, formatCount, printable } from '../text.js';
import type { BackendChoice } from '../training/engine/backend.js';
import { version } from '../version.js';
import type { CommonOptions } from './options.js';
import { print, toJson } from './output.js';
import { displayOf } from './terminal.js';

export async function run(path: string | undefined, options: CommonOptions): Promise<void> {
  const features = detectFeatures();
  const config = path === undefined ? undefined : await findingsOfConfig(path, features);
  const search = findEveryBlas(thisMachine());
  const native = findNative(thisMachine());
  const auto = automaticBackends(features, search, native);
  const findings = {
    mlp: version(),
    ...gatherFindings(features, search, native),
    auto,
    ...(config && { config }),
  };
  const measure = () => measureRates(features, search, native, config ?? auto.large, findings.cpu.available);

  if (options.json) {
    print(toJson({ ...findings, rates: await measure() }, 2));
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  // Printed first: the measurement takes a second or two and runs foreign code.
  print(renderFindings(findings, display));
  print(`\n${renderRates(await measure(), findings, display)}`);
}

/** A key, and its value in one or more lines. An empty key continues the fact above. */
type Fact = readonly [key: string, ...lines: string[]];

const SOURCES: Readonly<Record<Findings['blas']['found'][number]['source'], string>> = {
  MLP_BLAS: 'named by MLP_BLAS',
  Accelerate: 'part of macOS',
  system: 'installed on the system',
  NumPy: 'from a NumPy wheel',
};

const SET_NAMES: Readonly<Record<NativeSet, string>> = { avx512: 'AVX-512', avx2: 'AVX2', neon: 'NEON' };

function renderFindings(findings: Findings, { style }: Display): string {
  const { cpu, wasm, config } = findings;
  const facts: Fact[] = [
    ['mlp', findings.mlp],
    ['Node', `${findings.node} (V8 ${findings.v8}), ${findings.platform} ${findings.arch}`],
    ['CPU', cpu.model],
    ['threads', threadsOf(cpu)],
    ['memory', formatBytes(findings.memoryBytes)],
    ['SIMD', wasm.simd ? `yes, relaxed SIMD: ${wasm.relaxedSimd ? 'yes' : 'no'}` : 'no'],
    ...blasFacts(findings.blas),
    ['native', nativeFact(findings.native)],
    ['bfloat16', bfloat16Fact(findings.native)],
    ...(config ? configFacts(config, findings) : [autoFact(findings)]),
  ];
  const width = Math.max(...facts.map(([key]) => key.length));
  return facts
    .flatMap(([key, ...lines]) =>
      lines.map((line, i) => `${style.bold(pad(i === 0 ? key : '', width))}  ${printable(line)}`),
    )
    .join('\n');
}

function renderRates(rates: readonly Rate[], findings: Findings, display: Display): string {
  const times = display.ascii ? 'x' : '×';
  const table = formatTable(
    [
      { header: 'kernels' },
      { header: 'product', align: 'right' },
      { header: 'threads', align: 'right' },
      { header: 'float32', align: 'right' },
      { header: 'float64', align: 'right' },
    ],
    rates.map((rate) => [
      nameOf(rate, findings),
      `${rate.size}${times}${rate.size}${times}${rate.size}`,
      `${rate.threads}`,
      rate.gflops.float32.toFixed(1),
      rate.gflops.float64.toFixed(1),
    ]),
    display,
  );
  return `matrix products, GFLOP/s\n${table}`;
}

function threadsOf({ processors, available }: Findings['cpu']): string {
  return processors > available ? `${available} of ${processors} processors` : `${available}`;
}

function blasFacts({ named, found, unusable, searched }: Findings['blas']): Fact[] {
  const facts = found.map(({ path, vendor, version, integerBits, source }, i): Fact => {
    const name = [vendor === 'unknown' ? 'unknown library' : vendor, version].filter(Boolean).join(' ');
    const integers = integerBits === null ? '' : `, ${integerBits}-bit integers`;
    return [`BLAS ${i + 1}`, `${name}${integers}, ${SOURCES[source]}`, path];
  });
  if (found.length === 0) {
    facts.push(
      named === null
        ? ['BLAS', 'none found in', ...searched.flatMap((place) => place.split(', '))]
        : ['BLAS', 'MLP_BLAS names an unusable library; others are not searched for'],
    );
  }
  for (const { path, reason, detail } of unusable) facts.push(['unusable', path, `${reason}: ${detail}`]);
  return facts;
}

function nativeFact({ sets, reason }: Findings['native']): string {
  if (reason !== undefined) return `none: ${reason}`;
  const [first, ...others] = sets.map((set) => SET_NAMES[set]);
  return others.length === 0 ? `by ${first}` : `by ${first}, or with the same bits by ${others.join(' or ')}`;
}

function bfloat16Fact(native: Findings['native']): string {
  const missing = bfloat16Missing(native, thisMachine());
  return missing === undefined ? 'by AVX512-BF16, for "mixedPrecision"' : `none: ${missing}`;
}

function autoFact(findings: Findings): Fact {
  const { small, large } = findings.auto;
  if (small.backend === large.backend) return ['auto', nameOf(small, findings)];
  return [
    'auto',
    `${nameOf(small, findings)} for small networks, ${nameOf(large, findings)} for larger ones`,
    'mlp doctor config.json shows the choice for a config',
  ];
}

function configFacts(config: ConfigFindings, findings: Findings): Fact[] {
  const { backend, threads, deterministic, mixedPrecision } = config.asked;
  const asked = [
    ...(backend === 'auto' ? [] : [`backend ${backend}`]),
    ...(threads === 'auto' ? [] : [`threads ${threads}`]),
    ...(deterministic ? ['deterministic'] : []),
    ...(mixedPrecision ? [`mixedPrecision ${mixedPrecision}`] : []),
  ];
  return [
    ['config', config.path, ...(asked.length > 0 ? [`asks for ${asked.join(', ')}`] : [])],
    ['auto', nameOf(config, findings), `because ${backendReason(config)}`],
    ['', counted(config.threads, 'thread'), `because ${threadsReason(config, findings.cpu.available)}`],
  ];
}

function backendReason({ reason, largestProduct }: ConfigFindings): string {
  const product = `the largest product of a step, ${formatCount(largestProduct)} multiply-adds,`;
  switch (reason) {
    case 'no SIMD':
      return 'this version of Node has no WebAssembly SIMD';
    case 'mixed precision':
      return 'only machine code multiplies bfloat16';
    case 'deterministic':
      return 'the config is deterministic, and the results of a BLAS depend on the machine';
    case 'small products':
      return `${product} is too small for machine code or a BLAS to pay off`;
    case 'no BLAS':
      return `${product} is large enough for machine code or a BLAS, but there is neither`;
    case 'large products':
      return `${product} is large enough`;
  }
}

function threadsReason({ reason, threads, stepOperations }: ConfigFindings, available: number): string {
  if (reason === 'no SIMD') return 'the reference kernels use only one';
  const step = `a step, ${formatCount(stepOperations)} floating-point operations,`;
  if (threads === available)
    return available === 1 ? 'only one is available' : `${step} is large enough for all of them`;
  return `${step} is too small for more`;
}

/** `wasm`, `wasm relaxed`, `native AVX2`, or `blas 1 (OpenBLAS)`, numbered as in the list of libraries. */
function nameOf({ backend, relaxed, library, set }: BackendChoice, { blas }: Findings): string {
  if (backend === 'wasm') return relaxed ? 'wasm relaxed' : 'wasm';
  if (set !== undefined) return `${backend} ${SET_NAMES[set]}`;
  if (backend === 'reference') return backend;
  const index = blas.found.findIndex(({ path }) => path === library);
  return index < 0 ? backend : `blas ${index + 1} (${blas.found[index].vendor})`;
}
