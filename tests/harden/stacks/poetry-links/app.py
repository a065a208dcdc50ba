from flask import Flask
app = Flask(__name__)
@app.get('/')
def i():
    open('/app/data/hits.txt','a').write('x')
    return 'ok'
