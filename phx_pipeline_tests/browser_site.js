// What the pages of `browser_site` do in a browser. Each function is one of its `Act`s,
// or passes the guard; `XHR` and `TOLD` are the paths they talk to.

function about() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return {
    webdriver: navigator.webdriver, agent: navigator.userAgent, zone,
    languages: navigator.languages.join(), platform: navigator.platform,
    hidden: document.hidden, width: innerWidth, height: innerHeight,
  };
}

function worked(seed) {
  let sum = 7;
  for (const letter of seed) sum = (sum * 31 + letter.charCodeAt(0)) % 1000003;
  return sum;
}

function tell(what) {
  return fetch(`${TOLD}?what=${encodeURIComponent(what)}`);
}

async function passGuard(seed, worksMs) {
  await new Promise((done) => setTimeout(done, worksMs));
  const asked = new URLSearchParams({...about(), seed, proof: worked(seed)});
  const answer = await fetch(`${XHR}?${asked}`, {method: 'POST'});
  if (!answer.ok) return;
  document.cookie = `_px3=${await answer.text()}; path=/; secure; max-age=3600`;
  location.reload();
}

function overlay() {
  setTimeout(() => {
    const frame = document.createElement('iframe');
    frame.id = 'px-captcha-modal';
    frame.title = 'Human verification challenge';
    frame.style = 'display: block; position: fixed; top: 0; width: 100%; height: 100%';
    document.body.append(frame);
  }, 200);
}

// Asks for the rest of the photo list once a reader has come to the list's end.
function lazy(url) {
  const end = document.createElement('div');
  end.style = 'margin-top: 3000px; height: 400px';
  document.body.append(end);
  new IntersectionObserver(async (seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    await fetch(url, {headers: {'x-requested-with': 'XMLHttpRequest'}});
    await tell('rest');
  }).observe(end);
}

async function foreign(hosts) {
  const refused = [];
  for (const host of hosts) {
    const url = host.includes('://') ? host : `https://${host}`;
    for (const [tag, to] of [['img', 'src'], ['script', 'src'], ['iframe', 'src']]) {
      const element = document.createElement(tag);
      element[to] = `${url}/${tag}`;
      document.body.append(element);
    }
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = `${url}/style`;
    document.head.append(link);
    navigator.sendBeacon(`${url}/beacon`, 'x');
    try { new WebSocket(`${url.replace('http', 'ws')}/socket`); } catch (e) { e; }
    await fetch(`${url}/fetch`, {mode: 'no-cors'}).catch(() => refused.push(host));
  }
  await tell(`refused ${refused.join(' ')}`);
}

async function endless() {
  await tell('endless');
  for (;;);
}

async function dialogs() {
  onbeforeunload = (event) => { event.preventDefault(); return 'Stay'; };
  alert('Welcome');
  confirm('Newsletter?');
  prompt('Your name?');
  await tell('dialogs');
  print();
}

async function download() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([new Uint8Array(1000000)]));
  link.download = 'brochure.pdf';
  document.body.append(link);
  link.click();
  await tell('download');
}

async function popup() {
  open('/popup', '_blank', 'width=300,height=300');
  Notification.requestPermission();
  navigator.geolocation.getCurrentPosition(() => tell('located'), () => {});
  await tell('popup');
}
