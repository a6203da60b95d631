// The page of an order follows it by itself; without this script it asks again every few seconds.
"use strict";
(() => {
    const state = document.getElementById("state");
    if (state === null)
        return;
    const order = "/orders/" + state.dataset.order;
    // of the device that has the order: when that one gives it back, the next has another
    const code = document.querySelector(".code strong")?.textContent;
    const ended = ["delivered", "reversed", "owed", "expired"];
    const follow = async () => {
        for (;;) {
            try {
                const answer = await fetch(order + "?wait=30&seen=" + state.dataset.state, {headers: {Accept: "application/json"}, cache: "no-store"});
                const said = await answer.json();
                const moved = said.state !== state.dataset.state || (code !== undefined && said.code !== code);
                if (said.state !== undefined && moved) {
                    location.replace(order);
                    return;
                }
            } catch {
                await new Promise(done => setTimeout(done, 3000));
            }
        }
    };
    if (!ended.includes(state.dataset.state))
        follow();
})();
