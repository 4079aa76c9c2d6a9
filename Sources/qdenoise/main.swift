print("qdenoise")
