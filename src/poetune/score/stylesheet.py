"""The report's style: a small book, on paper or in the dark, on a desk or a phone."""

CSS = """
:root{color-scheme:light dark;--paper:#fbf8f1;--leaf:#f4efe3;--ink:#26211b;--soft:#6b6156;--rule:#d9cfbd;
--accent:#8c2f1b;--train:#9a7b4f;--validation:#a3361f;
--serif:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,"Book Antiqua",Georgia,"Noto Serif",serif;
--song:"Songti SC","Noto Serif CJK SC","Noto Serif SC","Source Han Serif SC",STSong,SimSun,serif;
--mono:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--paper:#1b1916;--leaf:#23201c;--ink:#e8e0d2;--soft:#a89d8c;--rule:#3d372f;
--accent:#e0977f;--train:#b79a6b;--validation:#e58a6f;--band:#b79a6b;
--line-1:#e58a6f;--line-2:#7fb2dc;--line-3:#b5c76b;--line-4:#b79a6b;--line-5:#c79ac7;--line-6:#bbbbbb;
--dot-1:#b79a6b;--dot-2:#e58a6f;--dot-3:#7fb2dc;--dot-4:#b5c76b;--dot-5:#c79ac7;--dot-6:#bbbbbb}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.6 var(--serif);
font-variant-numeric:oldstyle-nums;font-synthesis-style:none;text-rendering:optimizeLegibility;overflow-wrap:break-word}
:lang(zh){font-family:var(--song);font-variant-numeric:normal}
main{max-width:46rem;margin:0 auto;padding:0 1.5rem 5rem}
a{color:inherit;text-decoration-color:var(--rule);text-underline-offset:.2em}
.cover{min-height:min(78vh,40rem);display:flex;flex-direction:column;justify-content:center;
text-align:center;padding:4rem 0 3rem}
.cover h1{font-size:clamp(2.1rem,7vw,3.4rem);line-height:1.15;font-weight:500;margin:0;letter-spacing:-.01em}
.cover h1:lang(zh){letter-spacing:.12em;margin-right:-.12em}
.cover .poet{font-size:1.3rem;font-style:italic;margin:.9rem 0 0}
.cover .poet:lang(zh){font-style:normal;letter-spacing:.1em}
.cover .ornament{color:var(--accent);font-size:1.5rem;margin:1.8rem 0;line-height:1}
.cover .about{max-width:32rem;margin:0 auto;color:var(--soft)}
.cover .about p{margin:.5rem 0;text-wrap:pretty}
.cover .made{margin:2rem 0 0;font-size:.85rem;color:var(--soft);letter-spacing:.06em}
nav{border-block:1px solid var(--rule);padding:.7rem 0;text-align:center;font-size:.95rem;line-height:1.9}
nav a{margin:0 .7em;white-space:nowrap;text-decoration:none}
nav a:hover,nav a:focus-visible{color:var(--accent);text-decoration:underline}
section{margin-top:5.5rem}
h2{font-weight:500;font-size:1.55rem;text-align:center;margin:0 0 .4rem;line-height:1.3}
h2+.lead{margin-top:0}
.lead{text-align:center;color:var(--soft);font-style:italic;margin:0 auto 2.2rem;max-width:34rem;text-wrap:balance}
.lead:lang(zh){font-style:normal}
.poem{margin:0}
.poem h3,.poem h4{font-weight:500;font-size:1.25rem;margin:0 0 1rem;line-height:1.3}
.poem .untitled{color:var(--accent);font-size:1rem}
.verse{line-height:1.62}
.verse:lang(zh){line-height:2;letter-spacing:.06em}
.line{display:block;white-space:pre-wrap;padding-left:1.6em;text-indent:-1.6em;min-height:1em}
.line.gap{height:1.05em}
.note{font-size:.85rem;color:var(--soft);margin:1.1rem 0 0;font-style:italic}
.note:lang(zh){font-style:normal}
.nothing{color:var(--soft);font-style:italic;margin:0}
.best .poem{width:fit-content;max-width:100%;min-width:min(16rem,100%);margin:0 auto;padding:2.6rem 0;
break-inside:avoid}
.best .poem+.poem{position:relative}
.best .poem+.poem::before{content:"";position:absolute;top:0;left:50%;width:3rem;margin-left:-1.5rem;
border-top:1px solid var(--rule)}
.band{text-align:center;font-size:1.05rem;font-weight:500;color:var(--accent);margin:3rem 0 1rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 2.2rem;border-top:1px solid var(--rule);padding:1.3rem 0 2.2rem;
break-inside:avoid}
.pair>header{grid-column:1/-1;font-size:.9rem;color:var(--soft);margin-bottom:1.1rem;display:flex;
flex-wrap:wrap;align-items:baseline;gap:0 1.2em}
.pair>header b{font-weight:500;color:var(--ink);font-size:1.05rem}
.pair .side{min-width:0;font-size:1rem}
.pair .side+.side{border-left:1px solid var(--rule);padding-left:2.2rem;margin-left:-1.1rem}
.pair .label{font-size:.8rem;letter-spacing:.08em;color:var(--soft);margin:0 0 .6rem}
.pair .poem h4{font-size:1.08rem;margin-bottom:.6rem}
.pair .before .verse{color:var(--soft)}
.pair .line{padding-left:1em;text-indent:-1em}
figure{margin:0 0 2rem}
figcaption{font-size:.9rem;color:var(--soft);margin:0 0 .5rem}
.meanings{display:block;font-size:.85rem;color:var(--soft);margin:.9rem 0 0}
.meanings dt{display:inline;padding:0;border:0;color:var(--ink)}
.meanings dt::after{content:" — "}
.meanings dd{display:inline;padding:0;border:0;text-align:left}
.meanings dd::after{content:"";display:block;margin-bottom:.25rem}
.sheet th:first-child{white-space:nowrap}
.sheet table{font-size:.9rem}
.sheet small{display:block;color:var(--soft);font-size:.78rem}
.others .poem{padding:1.4rem 0;width:fit-content;max-width:100%;min-width:min(16rem,100%);margin:0 auto}
.others .verse{color:var(--soft)}
svg.curve{display:block;width:100%;height:auto;font-family:var(--serif)}
svg.narrow{display:none}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.95rem;font-variant-numeric:lining-nums tabular-nums}
th{font-weight:500;text-align:left;color:var(--soft);font-size:.85rem;vertical-align:bottom}
td,th{padding:.42rem .8rem .42rem 0;border-bottom:1px solid var(--rule)}
thead th{border-bottom:1.5px solid var(--soft)}
tbody th{color:var(--ink);font-size:.95rem;vertical-align:middle}
td:last-child,th:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap}
td b{color:var(--accent);font-weight:600}
td .means,th .means{display:block;font-weight:400;color:var(--soft);font-size:.82rem;line-height:1.4;max-width:23rem}
caption{caption-side:top;text-align:left;color:var(--soft);padding:0 0 .5rem;font-size:.95rem}
table+table,.scroll+.scroll{margin-top:2rem}
.small{font-size:.88rem;color:var(--soft);margin:.8rem 0 0}
.offence{margin:1.6rem 0 0}
.offence p{margin:0 0 .3rem}
.offence ul{margin:0;padding:0;list-style:none}
.offence li{padding-left:1.2em;text-indent:-1.2em;margin:.15rem 0}
.offence .from{color:var(--soft);font-size:.88rem}
cite:lang(zh){font-style:normal}cite:lang(zh)::before{content:"《"}cite:lang(zh)::after{content:"》"}
.chain{list-style:none;margin:0;padding:0}
.chain li{position:relative;padding:0 0 1.5rem 1.9rem}
.chain li::before{content:"";position:absolute;left:.3rem;top:.62em;width:.55rem;height:.55rem;border-radius:50%;
border:1.5px solid var(--accent);background:var(--paper)}
.chain li:not(:last-child)::after{content:"";position:absolute;left:.62rem;top:1.5em;bottom:-.45em;
border-left:1.5px solid var(--rule)}
.chain .what{font-weight:500}
code{font:.82em/1.4 var(--mono);color:var(--soft);overflow-wrap:anywhere}
.chain p{margin:.1rem 0 0;color:var(--soft);font-size:.95rem}
dl{display:grid;grid-template-columns:1fr auto;margin:0}
dt,dd{margin:0;padding:.4rem 0;border-bottom:1px solid var(--rule)}
dd{text-align:right;font-variant-numeric:lining-nums tabular-nums}
.notes{background:var(--leaf);padding:1.1rem 1.4rem;border-radius:3px}
.notes p{margin:.4rem 0}
footer{margin-top:6rem;text-align:center;color:var(--soft);font-size:.85rem}
@media (max-width:640px){body{font-size:1.05rem}main{padding:0 1.15rem 3rem}section{margin-top:4rem}
.cover{min-height:min(70vh,32rem)}.pair{grid-template-columns:1fr}
.pair .side+.side{border-left:0;padding-left:0;margin:1.3rem 0 0;border-top:1px dotted var(--rule);padding-top:1.1rem}
svg.wide{display:none}svg.narrow{display:block}
td,th{padding-right:.55rem}nav a{margin:0 .5em}
.cards :is(table,caption,tbody,tr){display:block}
.cards thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
.cards tr{border-bottom:1px solid var(--rule);padding:.7rem 0}
.cards tbody th{display:block;border:0;padding:0}
.cards tbody td{text-align:left;display:flex;justify-content:space-between;border:0;padding:0}
.cards td::before{content:attr(data-of);color:var(--soft)}
.sheet small{display:inline}
.voice .means{margin-bottom:.35rem}}
@media print{body{font-size:11pt}.cover{min-height:0}nav{display:none}}
"""
