"use strict";

// Tells the server in which time zone this browser shows times.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = `time_zone=${zone}`;
  if (!zone || document.cookie.split("; ").includes(cookie)) return;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${cookie}; path=/; max-age=31536000; samesite=lax${secure}`;
})();

// Keeps "2 min ago" true, in the server's words and by its clock.
(() => {
  const words = JSON.parse(document.querySelector('meta[name="distances"]').content);
  const behind = words.at * 1000 - Date.now();
  const plural = new Intl.PluralRules(document.documentElement.lang || "en");

  function describe(seconds) {
    if (seconds >= -1 && seconds < words.from) return words.now;
    const distance = Math.abs(seconds);
    const unit = words.units.find(({ below }) => below === null || distance < below);
    const count = Math.floor(distance / unit.size);
    const [one, other] = seconds > 0 ? unit.past : unit.future;
    return (plural.select(count) === "one" ? one : other).replace("#", count);
  }

  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time.ago")) {
      const text = describe(Math.trunc((Date.now() + behind - Date.parse(time.dateTime)) / 1000));
      if (time.textContent !== text) time.textContent = text;
    }
  }, 5000);
})();
