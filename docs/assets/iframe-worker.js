/* Search runs in a worker. A browser refuses one to a page that was opened from a folder: there an
   invisible frame takes its place and speaks the same way. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const inside = frame.contentWindow
      inside.document.open()
      inside.document.write("<body></body>")
      inside.document.close()
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.ready = new Promise((loaded, failed) => {
        const script = inside.document.createElement("script")
        script.src = new URL(url, document.baseURI)
        script.onload = () => loaded(inside)
        script.onerror = failed
        inside.document.body.append(script)
      })
    }
    postMessage(data) {
      this.ready.then(inside =>
        inside.dispatchEvent(new inside.MessageEvent("message", { data })))
    }
    terminate() {}
  }
}
