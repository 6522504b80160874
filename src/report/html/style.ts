/**
 * The style sheet of a page: light and dark, narrow, and on paper. The colours of curves are those of
 * Okabe and Ito, which differ for any common colour blindness; the first two are the terminal's.
 */
import { MOST_SERIES } from './lineChart.js';

const LIGHT = [
  '#1f74c4',
  '#d95f0e',
  '#00866a',
  '#b1467f',
  '#8a6d00',
  '#3a9fd6',
  '#5e4fa2',
  '#7a7a7a',
  '#a23b2a',
  '#2f6f4f',
  '#c09000',
  '#4c6a92',
];
const DARK = [
  '#58a9f0',
  '#ff9150',
  '#2fc9a4',
  '#e58bbd',
  '#e0bd3a',
  '#86cdf5',
  '#a99bea',
  '#b5b5b5',
  '#ef8a78',
  '#7cc4a0',
  '#f2c94c',
  '#9db8dc',
];

const series = Array.from({ length: MOST_SERIES }, (_, i) => i);
const colours = (list: readonly string[]) => list.map((colour, i) => `--c${i}:${colour}`).join(';');

/** Backgrounds of cells by ten levels. */
const levels = (variable: string, letter: string) =>
  Array.from(
    { length: 10 },
    (_, i) => `.${letter}${i + 1}{background:color-mix(in srgb,var(${variable}) ${8 + 7 * i}%,transparent)}`,
  ).join('\n');

export const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--rule:#dfe4ea;--faint:#eef1f5;--paper:#fff;--panel:#fff;--back:#f5f7f9;--good:#1f74c4;--bad:#d95f0e;--wrong:#c62828;${colours(LIGHT)}}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa6b5;--rule:#323b47;--faint:#252d37;--paper:#14191f;--panel:#1b222a;--back:#11161b;--good:#58a9f0;--bad:#ff9150;--wrong:#ff7070;${colours(DARK)}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1120px;padding:0 20px 48px;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header{padding:32px 0 4px}
h1{margin:0 0 6px;font-size:27px;line-height:1.2;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{margin:0 0 14px;font-size:18px;font-weight:650}
h3{margin:22px 0 8px;font-size:14.5px;font-weight:650}
p{margin:0 0 10px;max-width:78ch}
.lead{font-size:16.5px;margin-bottom:18px;overflow-wrap:anywhere}
.note,footer{color:var(--soft);font-size:13px}
a{color:var(--c0)}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:18px 0 0;font-size:14px}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
section{margin:18px 0 0;padding:20px 22px 22px;background:var(--panel);border:1px solid var(--rule);border-radius:10px}
footer{margin-top:22px}
.cards{display:flex;flex-wrap:wrap;gap:10px}
.card{padding:10px 16px;background:var(--panel);border:1px solid var(--rule);border-radius:10px;min-width:112px}
.card b{display:block;font-size:21px;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px}
.warning{border-left:3px solid var(--bad);padding:6px 12px;margin:0 0 10px;background:var(--faint);border-radius:0 6px 6px 0;overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:22px 26px;align-items:start}
section>.pair+*,section>.scroll+*,.spaced{margin-top:22px}
figure{margin:0;position:relative;min-width:0}
figcaption{font-weight:600;font-size:14px;margin:0 0 4px}
svg{display:block;max-width:100%;height:auto}
svg.plot{width:100%;touch-action:pan-y}
svg text{font-size:11.5px;fill:var(--soft);font-family:inherit}
.end{text-anchor:end}.middle,.name{text-anchor:middle}.start{text-anchor:start}
.ticks{font-variant-numeric:tabular-nums}
.grid path{stroke:var(--faint);stroke-width:1;fill:none}
.axis{stroke:var(--rule);fill:none}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:5 4}
.lone{fill:none;stroke-width:6;stroke-linecap:round}
.reference{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4;fill:none}
.mark,.guide{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
.guide{stroke-dasharray:none;opacity:.6;pointer-events:none}
svg .marked{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--panel);stroke-width:4px;stroke-linejoin:round}
.dot{stroke:var(--panel);stroke-width:1.5}
.spot{fill:var(--panel);stroke:var(--ink);stroke-width:2}
.sample{display:inline-block;width:22px;height:8px;margin-right:5px;vertical-align:middle}
.choice{display:inline-flex;align-items:center;font-size:13px;color:var(--soft);margin:0 14px 2px 0;cursor:pointer;max-width:100%;overflow-wrap:anywhere}
input[class^=show]{position:absolute;opacity:0;pointer-events:none}
input[class^=show]:not(:checked)+label{text-decoration:line-through;opacity:.5}
input[class^=show]:focus-visible+label{outline:2px solid var(--c0);outline-offset:2px}
input[type=checkbox]{accent-color:var(--c0);margin:0 5px 2px 0;vertical-align:middle}
.log:checked~svg.linear,.log:not(:checked)~svg.logarithmic{display:none}
.tip{position:absolute;z-index:2;pointer-events:none;background:var(--panel);border:1px solid var(--rule);border-radius:7px;padding:6px 10px;font-size:12.5px;line-height:1.45;box-shadow:0 3px 12px rgba(0,0,0,.16);max-width:60%;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.tip[hidden]{display:none}
${series.map((i) => `.c${i}{stroke:var(--c${i})}circle.c${i},.f${i}{fill:var(--c${i})}.k${i}{border-left:3px solid var(--c${i});padding-left:6px;margin-top:2px}.show${i}:not(:checked)~svg .s${i}{display:none}`).join('\n')}
circle.dot{stroke:var(--panel)}
.points{fill:none;stroke:var(--c0);stroke-width:4.5;stroke-linecap:round;stroke-opacity:.45}
.count{fill:var(--soft);fill-opacity:.16}
.bar{fill:var(--c0);fill-opacity:.75}
.bar2{fill:var(--c1);fill-opacity:.8}
.thin{stroke:var(--ink);stroke-width:1.2;fill:none}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;font-size:14px;padding:0 0 6px}
th,td{padding:4px 12px 4px 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:middle}
th{font-weight:600;color:var(--soft);white-space:nowrap}
tbody th{color:var(--ink);font-weight:500;white-space:normal;overflow-wrap:break-word;max-width:260px}
td.n,th.n{text-align:right;white-space:nowrap}
tfoot td,tfoot th{border-bottom:0;color:var(--soft)}
td.text{overflow-wrap:anywhere;max-width:340px}
.best{font-weight:650}
.matrix td,.matrix thead th{text-align:center;padding:5px 9px;min-width:46px;border:1px solid var(--panel)}
.matrix thead th{max-width:110px;overflow:hidden;text-overflow:ellipsis}
.matrix td small{display:block;color:inherit;opacity:.72;font-size:11px;line-height:1.2}
.matrix td.zero{color:var(--soft);opacity:.55}
.matrix tbody th{text-align:right;padding-right:10px;border:0;max-width:180px}
${levels('--good', 'g')}
${levels('--bad', 'b')}
.pixels{image-rendering:pixelated;display:block;background:var(--faint)}
.gallery{display:flex;flex-wrap:wrap;gap:10px}
h2,h3,p,figcaption,.gallery figure{overflow-wrap:anywhere}
.gallery figure{max-width:130px;text-align:center;font-size:12px;color:var(--soft);line-height:1.35}
.gallery .pixels{margin:0 auto 3px}
.sheet{width:100%;max-width:760px;height:auto}
.unit{fill:var(--panel);stroke:var(--soft);stroke-width:1.2}
.positive{stroke:var(--c0)}.negative{stroke:var(--c1)}
.flow{fill:var(--c0);fill-opacity:.13;stroke:none}
.layer{fill:var(--c0);fill-opacity:.85}
svg .big{font-size:13px;fill:var(--ink);font-weight:600}
pre{margin:0 0 10px;padding:12px 14px;background:var(--faint);border-radius:8px;overflow-x:auto;font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
details summary{cursor:pointer;font-weight:600;font-size:14px;margin:4px 0 8px}
dl{display:grid;grid-template-columns:minmax(min-content,max-content) 1fr;gap:3px 18px;margin:0;font-size:13.5px}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.positive,.negative{fill:none}
svg.network{max-width:860px;min-width:560px}
td.wide{min-width:200px}
.caption{font-weight:600;font-size:14px;margin-bottom:6px}
span.k0,span.k1{margin:0;white-space:nowrap}
.hair{fill:none;stroke-width:1;stroke-opacity:.3}
.strong{stroke-width:2;stroke-opacity:.9}
.halo{paint-order:stroke;stroke:var(--panel);stroke-width:3px}
.full{fill:var(--c0);fill-opacity:.75}
.open{fill:none;stroke:var(--c0);stroke-opacity:.6}
.winner{fill:var(--c1);fill-opacity:1;stroke:none}
circle.plain{stroke:none}
.band{stroke:var(--c0);stroke-opacity:.25;stroke-width:18}
.points.big{stroke-width:8;stroke-opacity:.65}
svg.wide{min-width:640px}
.card small{font-size:14px;font-weight:500;color:var(--soft)}
.box{fill:var(--panel);stroke:var(--soft);stroke-width:1.1}
.box.input{fill:var(--faint);stroke:var(--rule)}
.box.output{stroke:var(--ink);stroke-width:1.8}
.box.wrong{stroke:var(--wrong);stroke-width:2}
.edge{fill:none;stroke:var(--soft);stroke-width:1.1;stroke-opacity:.75}
.arrow{fill:var(--soft)}
.under{fill:var(--panel)}
svg.graph{margin:0 auto}
svg.graph text{font-size:12.5px;font-variant-numeric:tabular-nums}
svg .formula{fill:var(--ink);font-weight:600}
svg .right{fill:var(--good)}
svg text.wrong{fill:var(--wrong);font-weight:650}
b.wrong{color:var(--wrong)}
@media (max-width:560px){body{padding:0 10px 32px}section{padding:14px 12px 16px}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:6px}h1{font-size:22px}}
@media print{.matrix td,.pixels,.band,.card,.warning,pre{-webkit-print-color-adjust:exact;print-color-adjust:exact}.pair{grid-template-columns:1fr 1fr}.matrix{font-size:11px}.matrix td,.matrix thead th{padding:2px 4px;min-width:30px}.scroll{overflow:visible}body{background:#fff;max-width:none;font-size:11pt}nav,input,.tip{display:none!important}section,.card{border-color:#ccc}figure,tr,.pair>*{break-inside:avoid}h2{break-after:avoid}svg.graph{max-height:195mm;width:auto}section{padding:10px 0;border-width:1px 0 0;border-radius:0}}
`;
