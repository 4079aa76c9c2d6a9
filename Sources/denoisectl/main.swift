print("denoisectl")
