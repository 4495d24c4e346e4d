/** How the report of a run looks: light and dark as the reader's system says, on paper, and on a phone. */
export const styleSheet = `
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d1f23;--soft:#666b75;--line:#e3e1dc;--code:#f3f1ed;--accent:#2f5fd0;
--succeeded:#23804a;--cached:#1f7a99;--failed:#c4302b;--skipped:#8a8f98;--cancelled:#a86a00;--refused:#a86a00;--running:#6a4fc4;--waiting:#d8d4cb}
@media(prefers-color-scheme:dark){:root{--paper:#14161a;--card:#1c1f25;--ink:#e7e8ea;--soft:#9aa0ab;--line:#2d3139;--code:#23272e;--accent:#8fb0ff;
--succeeded:#58c285;--cached:#5bb8d6;--failed:#ff7a72;--skipped:#7d838e;--cancelled:#e3a540;--refused:#e3a540;--running:#ab95ff;--waiting:#3a3f48}}
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}h2{font-size:17px;margin:36px 0 10px}h3{font-size:16px;margin:0 0 6px;overflow-wrap:anywhere}h4{font-size:13px;margin:14px 0 4px;color:var(--soft);font-weight:600}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
code,pre,.address,.digest,svg .name{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
code{background:var(--code);padding:1px 5px;border-radius:4px;overflow-wrap:anywhere}
.note{color:var(--soft);margin:4px 0 10px}.bad{color:var(--failed)}
header .top{display:flex;gap:14px;align-items:center;flex-wrap:wrap}
.verdict{display:inline-flex;gap:7px;align-items:center;padding:4px 13px;border-radius:99px;font-weight:650;color:#fff;background:var(--tone)}
@media(prefers-color-scheme:dark){.verdict{color:#101216}}
.sentence{font-size:16px;margin:10px 0 14px}
.share{display:flex;height:8px;border-radius:99px;overflow:hidden;gap:2px;background:var(--line)}.share i{display:block;background:var(--tone);min-width:3px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 18px;color:var(--soft)}.legend b{color:var(--tone);font-weight:650}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px 20px;margin:0;padding:14px 16px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.facts dt{color:var(--soft);font-size:12px}.facts dd{margin:0;overflow-wrap:anywhere}
.succeeded{--tone:var(--succeeded)}.cached{--tone:var(--cached)}.failed{--tone:var(--failed)}.skipped,.pending,.ready,.queued{--tone:var(--skipped)}.cancelled{--tone:var(--cancelled)}.refused{--tone:var(--refused)}.running{--tone:var(--running)}.waiting{--tone:var(--waiting)}
.scroll{overflow:auto;max-height:80vh;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.scroll svg{display:block;margin:0 auto;max-width:none}
svg text{fill:var(--ink);font-size:12px}svg .sub,.tick text,.curve text{fill:var(--soft);font-size:11px}.curve text{font-size:13px}
.edges path{fill:none;stroke:var(--soft);stroke-opacity:.45;stroke-width:1.3}
.node rect{fill:var(--paper);stroke:var(--line)}.node .mark{fill:var(--tone);stroke:none}.node .glyph{fill:var(--tone);font-weight:700}.node.cancelled .name,.node.skipped .name{fill:var(--soft)}a:hover .node rect:first-of-type{stroke:var(--tone)}
.timeline rect{fill:var(--tone)}.tick line{stroke:var(--line)}.timeline .row text{font-size:12px;font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.failure{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--failed);border-radius:10px;padding:14px 18px;margin:0 0 14px}
.failure h3 a{color:var(--failed)}.failure small{color:var(--soft);font-weight:400;font-size:14px;margin-left:6px}.message{margin:0 0 8px;white-space:pre-wrap;overflow-wrap:anywhere}.resume{margin:12px 0 0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 14px;margin:0}dt{color:var(--soft)}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
.facts{display:grid}.facts>div{min-width:0}
pre{margin:0;padding:10px 12px;background:var(--code);border-radius:8px;overflow:auto;max-height:420px;line-height:1.45;tab-size:4}
.log .err{color:var(--cancelled)}.log .mark{color:var(--soft);font-style:italic}
.source span,.log span{display:block;min-height:1.45em}.source span{min-width:max-content}.source i{display:inline-block;width:4em;padding-right:1em;text-align:right;color:var(--soft);font-style:normal;user-select:none}.source .here{background:color-mix(in srgb,var(--failed) 16%,transparent);font-weight:600}
.filters{display:flex;flex-wrap:wrap;gap:6px;margin:0 0 10px}.filters label{border:1px solid var(--line);background:var(--card);border-radius:99px;padding:2px 12px;cursor:pointer}.filters input{position:absolute;opacity:0}.filters label:has(:checked){background:var(--ink);color:var(--paper);border-color:var(--ink)}.filters label:has(:focus-visible){outline:2px solid var(--accent)}
.steps{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.step+.step{border-top:1px solid var(--line)}
.step summary{display:grid;grid-template-columns:108px minmax(160px,2fr) 84px minmax(0,3fr);gap:0 12px;padding:7px 14px;cursor:pointer;list-style:none;align-items:baseline}.step summary::-webkit-details-marker{display:none}.step summary:hover{background:var(--code)}
.state{color:var(--tone);font-weight:600;white-space:nowrap}.address{overflow-wrap:anywhere}.took{text-align:right;color:var(--soft);white-space:nowrap}.told{color:var(--soft);overflow-wrap:anywhere}
.step .inside{padding:4px 14px 16px 134px;scroll-margin-top:60px}.step[open] summary{background:var(--code)}
.parts code{background:none;padding:0}
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:14px}figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 12px;min-width:0}figcaption{color:var(--soft);margin-bottom:4px;overflow-wrap:anywhere}figcaption b{color:var(--ink);font-weight:600;margin-right:6px}
.curve{width:100%;height:auto}.curve .line{fill:none;stroke:var(--accent);stroke-width:1.6;stroke-linejoin:round}.curve .band{fill:var(--accent);fill-opacity:.18}.curve .dot{fill:var(--accent)}.curve .grid{stroke:var(--line)}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);border-radius:10px}td,th{min-width:84px;text-align:left;padding:5px 12px;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}th{color:var(--soft);font-weight:600;border-top:0}.table{overflow:auto}
footer{margin-top:44px;color:var(--soft);font-size:13px}
@media(max-width:700px){main{padding:18px 12px 40px}.step summary{grid-template-columns:minmax(0,1fr) auto}.step summary>*{min-width:0}.step .address{grid-column:1/-1;grid-row:2}.step .told{grid-column:1/-1}.step .inside{padding-left:14px}.timeline{width:900px}dl:not(.facts){grid-template-columns:1fr;gap:0}dl:not(.facts) dd{margin-bottom:6px}}
@media print{.scroll{max-height:none;overflow:visible}.filters{display:none}body{background:#fff}}
`;

/** Shows the steps of one outcome alone when it is chosen. */
export function filterRules(states: readonly string[]): string {
  return states.map((state) => `main:has(#show-${state}:checked) .step:not(.${state}){display:none}`).join('');
}
