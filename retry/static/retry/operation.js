// A notification of the browser when the operation on this page ends or pauses by itself, for those
// who ask for it. The browser is asked for the permission on the click, and not before.
const tellMe = document.getElementById("tell-me");

if (tellMe && "Notification" in window) {
  let asked = false;
  let seen = document.getElementById("live").dataset.news;
  tellMe.hidden = false;

  tellMe.addEventListener("click", async () => {
    asked = (await Notification.requestPermission()) === "granted";
    tellMe.disabled = true;
    tellMe.textContent = asked ? tellMe.dataset.asked : tellMe.dataset.refused;
  });

  document.body.addEventListener("htmx:afterSettle", () => {
    const live = document.getElementById("live");
    const news = live ? live.dataset.news : seen;
    if (news === seen) return;
    seen = news;
    if (live.dataset.ended) tellMe.hidden = true;
    if (asked && news) new Notification(live.dataset.title, { body: news, tag: location.pathname });
  });
}
